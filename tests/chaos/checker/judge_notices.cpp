#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

// The times in the journals are not exact.
constexpr int64_t blur_us = 50'000;

// A sink looks at its groups every second, and may be stopped or without
// connection meanwhile.
constexpr int64_t latest_us = 10'000'000;

bool deletes_events(const history& run, const fault& x) {
  return x.kind == "flush" || x.kind == "del"
         || (x.kind == "redis-kill" && !run.how.fsync_always);
}

bool follows(const sink_notice& x, const fault& cause) {
  return x.at + blur_us >= cause.begin && x.at <= cause.until + latest_us;
}

void judge_false_ones(const history& run, verdict& out) {
  for (const auto& x : run.notices) {
    if (!x.data_loss)
      continue;
    ++out.losses[x.sink].second;
    if (std::none_of(run.faults.begin(), run.faults.end(), [&](const auto& f) {
          return deletes_events(run, f) && follows(x, f);
        }))
      out.violated("false notice", x.slot + " (" + x.sink + ") said " + x.kind
                                     + " with a loss at " + std::to_string(x.at)
                                     + " us");
  }
}

// Returns which events the sink has handled or given up.
std::vector<bool> settled_by(const history& run, const std::string& sink) {
  std::vector<bool> result(run.adds.size());
  for (const auto& x : run.sinks.at(sink))
    if (x.how == execution::end::done)
      result[x.event] = true;
  if (const auto i = run.end.dead.find(sink); i != run.end.dead.end())
    for (auto event : i->second)
      if (event < result.size())
        result[event] = true;
  return result;
}

void judge_missing_ones(const history& run, const std::string& sink,
                        verdict& out) {
  auto settled = settled_by(run, sink);
  for (const auto& x : run.end.stream)
    if (x.event < settled.size())
      settled[x.event] = true; // judge_deliveries() judges these
  for (uint32_t i = 0; i < run.adds.size(); ++i) {
    const auto& x = run.adds[i];
    if (settled[i] || x.how != add::outcome::ok)
      continue;
    const auto* cause = deletion(run, x.invoked);
    if (cause == nullptr)
      continue; // judge_adds() judges that
    ++out.losses[sink].first;
    if (std::none_of(run.notices.begin(), run.notices.end(),
                     [&](const auto& y) {
                       return y.sink == sink && y.data_loss
                              && follows(y, *cause);
                     }))
      out.violated("silent loss", "sink " + sink + " did not say that "
                                    + run.label(i) + " may be lost, which "
                                    + cause->kind + " deleted at "
                                    + std::to_string(cause->begin) + " us");
  }
}

} // namespace

void judge_notices(const history& run, verdict& out) {
  judge_false_ones(run, out);
  for (const auto& [sink, unused] : run.sinks)
    judge_missing_ones(run, sink, out);
}

} // namespace pulse::chaos
