#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

// The times in the journals are not exact.
constexpr int64_t blur_us = 50'000;

// A sink looks at its groups every second, and may be stopped or without
// connection meanwhile.
constexpr int64_t latest_us = 10'000'000;

// After this time the sink has looked at its groups.
constexpr int64_t look_us = 5'000'000;

// With everysec, Redis may lose what came so shortly before it was killed.
constexpr int64_t everysec_window_us = 2'500'000;

bool is_undone(const history& run, const fault& x) {
  return !run.how.fsync_always
         && std::any_of(run.faults.begin(), run.faults.end(),
                        [&](const fault& y) {
                          return y.kind == "redis-kill" && y.end >= x.begin
                                 && y.begin <= x.end + everysec_window_us;
                        });
}

bool begins_stream_anew(const history& run, const fault& x) {
  return x.kind == "flush" || x.kind == "del"
         || (x.kind == "redis-kill" && !run.how.fsync_always);
}

// Returns whether a fault may be why a sink gave such a notice.
bool causes(const history& run, const fault& x, const sink_notice& y) {
  if (begins_stream_anew(run, x))
    return true;
  // Others may take events and acknowledge them, and then they are pending for
  // nobody.
  if (y.kind == "consumer_deleted"
      && (x.kind == "clock-step" || x.kind == "group-destroy"))
    return hits_sink(x, y.sink);
  if (!hits_sink(x, y.sink) || x.taken == 0)
    return false;
  if (y.kind == "gap")
    return x.kind == "setid";
  if (y.kind == "group_recovered")
    return x.kind == "group-destroy";
  if (y.kind == "consumer_deleted")
    return x.kind == "del-consumer";
  return false;
}

void judge_false_ones(const history& run, verdict& out) {
  for (const auto& x : run.notices) {
    if (x.data_loss)
      ++out.losses[x.sink].second;
    else if (x.kind != "group_recovered" && x.kind != "consumer_deleted")
      continue;
    if (std::none_of(run.faults.begin(), run.faults.end(), [&](const auto& f) {
          return follows(x, f) && causes(run, f, x);
        }))
      out.violated("false notice", x.slot + " (" + x.sink + ") said " + x.kind
                                     + (x.data_loss ? " with a loss" : "")
                                     + " at " + std::to_string(x.at) + " us");
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

bool has_notice_of_loss(const history& run, const std::string& sink,
                        const fault& cause) {
  return std::any_of(run.notices.begin(), run.notices.end(),
                     [&](const auto& y) {
                       return y.sink == sink && y.data_loss
                              && follows(y, cause);
                     });
}

void silent(const std::string& sink, const std::string& event,
            const fault& cause, verdict& out) {
  out.violated("silent loss", "sink " + sink + " did not say that " + event
                                + " may be lost, which " + cause.kind
                                + " took away at " + std::to_string(cause.begin)
                                + " us");
}

void judge_deleted(const history& run, const std::string& sink, verdict& out) {
  auto settled = settled_by(run, sink);
  for (const auto& x : run.end.stream)
    if (x.event < settled.size())
      settled[x.event] = true; // judge_taken() judges these
  for (uint32_t i = 0; i < run.adds.size(); ++i) {
    const auto& x = run.adds[i];
    if (settled[i] || x.how != add::outcome::ok)
      continue;
    const auto* cause = deletion(run, x.invoked);
    if (cause == nullptr)
      continue; // judge_adds() judges that
    ++out.losses[sink].first;
    if (!has_notice_of_loss(run, sink, *cause))
      silent(sink, run.label(i), *cause, out);
  }
}

// Returns whether a group reached the end of its stream before the sink was
// sure to look at it. Then Redis counts anew, and a move of the group cannot be
// seen. A keyed sink reads to the end of the stream and lays the events aside,
// long before its workers begin with them.
bool reached_end(const history& run, const std::string& sink, const fault& x) {
  if (std::any_of(run.instances.begin(), run.instances.end(),
                  [&](const auto& y) { return y.sink == sink && y.keyed; }))
    return true;
  // The first begin of each event behind the new position, in stream order.
  std::map<event_id, std::pair<uint32_t, int64_t>> began;
  for (const auto& e : run.sinks.at(sink))
    if (e.id > x.to) {
      auto& first = began.try_emplace(e.id, e.event, e.began).first->second;
      first.second = std::min(first.second, e.began);
    }
  int64_t all_begun = 0;
  for (const auto& [id, first] : began) {
    const auto& added = run.adds[first.first];
    if (all_begun > 0 && added.how == add::outcome::ok
        && added.answered + blur_us >= all_begun)
      return all_begun <= x.end + look_us;
    all_begun = std::max(all_begun, first.second);
  }
  return all_begun <= x.end + look_us;
}

void judge_taken(const history& run, const std::string& sink, verdict& out) {
  const auto settled = settled_by(run, sink);
  group_losses losses{run, sink};
  for (const auto& x : run.end.stream) {
    if (x.event >= settled.size() || settled[x.event])
      continue;
    const auto* cause = losses.cause(x);
    if (cause == nullptr)
      continue; // judge_deliveries() judges that
    ++out.losses[sink].first;
    // Who could not claim its events anew does not know that they are lost.
    const bool unseen = cause->kind == "del-consumer"
                        || (cause->kind == "setid"
                            && reached_end(run, sink, *cause));
    if (!unseen && !has_notice_of_loss(run, sink, *cause))
      silent(sink, run.label(x.event), *cause, out);
  }
}

// A member that is just being opened creates the group without a notice.
bool was_opened_by(const history& run, const std::string& sink,
                   const fault& x) {
  return std::any_of(run.instances.begin(), run.instances.end(),
                     [&](const instance& y) {
                       return y.sink == sink && y.opened + blur_us >= x.begin
                              && y.opened <= x.end + look_us;
                     });
}

void judge_recoveries(const history& run, const std::string& sink,
                      verdict& out) {
  for (const auto& x : run.faults) {
    if (x.kind != "group-destroy" || x.taken == 0 || !hits_sink(x, sink)
        || is_undone(run, x) || was_opened_by(run, sink, x))
      continue;
    if (std::none_of(
          run.notices.begin(), run.notices.end(), [&](const sink_notice& y) {
            return y.sink == sink && follows(y, x)
                   && (y.kind == "group_recovered" || y.kind == "stream_reset");
          }))
      out.violated("silent recovery",
                   "sink " + sink
                     + " did not say that its group was "
                       "missing, which somebody destroyed at "
                     + std::to_string(x.begin) + " us");
  }
}

} // namespace

bool follows(const sink_notice& x, const fault& cause) {
  return x.at + blur_us >= cause.begin && x.at <= cause.until + latest_us
         && hits_sink(cause, x.sink);
}

void judge_notices(const history& run, verdict& out) {
  judge_false_ones(run, out);
  for (const auto& [sink, unused] : run.sinks) {
    judge_deleted(run, sink, out);
    judge_taken(run, sink, out);
    judge_recoveries(run, sink, out);
  }
}

} // namespace pulse::chaos
