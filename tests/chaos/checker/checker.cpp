#include "chaos/checker/checker.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace pulse::chaos {

namespace {

constexpr int64_t reconnect_us = 4'000'000;

// The times in the journals are not exact: the times of a fault are taken
// before and after it is caused, and a fact is written shortly before or after
// it happens.
constexpr int64_t blur_us = 50'000;

constexpr int64_t never = INT64_MAX / 4;

// Returns how likely a fault is the cause of a duplicate: lower is more likely.
// -1: this kind of fault never makes a sink lose its events.
int rank(const fault& x) {
  static constexpr std::array<std::string_view, 21> causes{
    "group-destroy", "clock-step", "kill",
    "stop",          "hole",       "freeze",
    "deaf",          "redis-kill", "redis-stop",
    "outage",        "deny",       "client-kill",
    "cut",           "half-reply", "hang",
    "close",         "throttle",   "bytewise",
    "delay",         "flush",      "del"};
  const auto* i = std::find(causes.begin(), causes.end(), x.kind);
  return i != causes.end() ? static_cast<int>(i - causes.begin()) : -1;
}

bool takes_redis_away(const fault& x) {
  return x.kind == "redis-kill" || x.kind == "redis-stop" || x.kind == "outage"
         || x.kind == "deny" || x.kind == "clock-step";
}

// Returns whether a fault can make another member get an event. A right that is
// missing for a short time cannot: the leases are renewed afterwards.
bool ends_leases(const settings& how, const fault& x) {
  return x.kind != "deny" || x.end - x.begin >= how.lease_us / 3 - blur_us;
}

// Returns when the sink had worked on an event of each topic that was added
// after `from`. All that a deleted group repeats comes before such an event,
// but a topic with a long queue may come late.
int64_t caught_up(const history& run, const std::vector<uint32_t>& topics,
                  const std::string& sink, int64_t from) {
  const auto found = run.sinks.find(sink);
  if (found == run.sinks.end())
    return from;
  // By topic; empty: the sink never worked on an event of the topic.
  std::vector<std::optional<int64_t>> first_new(run.how.keys);
  for (const auto& x : found->second) {
    if (x.event >= topics.size())
      continue;
    auto& first = first_new[topics[x.event]];
    const bool is_new = run.adds[x.event].invoked > from;
    first = std::min(first.value_or(never), is_new ? x.began : never);
  }
  auto result = from;
  for (const auto& first : first_new)
    result = std::max(result, first.value_or(from));
  return result;
}

} // namespace

int64_t lease_of(const history& run, const instance& x) {
  return x.lease_us > 0 ? x.lease_us : run.how.lease_us;
}

int64_t aftermath(const settings& how, int64_t lease_us) {
  return 2 * lease_us + 2 * how.sweep_us + reconnect_us;
}

void find_aftermaths(const history& run, std::vector<fault>& faults) {
  std::map<std::string, int64_t> leases;
  auto longest = run.how.lease_us;
  for (const auto& x : run.instances) {
    leases[x.slot] = lease_of(run, x);
    longest = std::max(longest, leases[x.slot]);
  }
  const auto topics = run.topics();
  for (auto& x : faults) {
    const auto i = leases.find(x.slot);
    const auto late = aftermath(run.how,
                                i != leases.end() ? i->second : longest);
    x.until = x.end;
    // A busy machine may need long for the repetitions.
    if (x.kind == "group-destroy" && !x.slot.empty())
      x.until = std::max(x.until,
                         caught_up(run, topics, x.slot, x.end + blur_us));
    x.until += late;
    for (const auto& y : faults)
      if (takes_redis_away(y) && y.end > x.begin && y.begin <= x.until)
        x.until = std::max(x.until, y.end + late);
  }
}

bool hits(const fault& x, const std::string& slot) {
  return x.slot.empty() || x.slot == slot
         || slot.compare(0, x.slot.size() + 1, x.slot + "-") == 0;
}

bool hits_sink(const fault& x, const std::string& sink) {
  return x.slot.empty() || x.slot == sink
         || x.slot.compare(0, sink.size() + 1, sink + "-") == 0;
}

const fault* explanation(const history& run, const std::string& a,
                         const std::string& b, int64_t at) {
  const fault* result = nullptr;
  for (const auto& x : run.faults) {
    if (x.begin > at + blur_us)
      break;
    if ((hits(x, a) || hits(x, b)) && ends_leases(run.how, x) && x.until >= at
        && rank(x) >= 0 && (result == nullptr || rank(x) <= rank(*result)))
      result = &x;
  }
  return result;
}

const fault* deletion(const history& run, int64_t invoked) {
  for (const auto& x : run.faults)
    if ((x.kind == "flush" || x.kind == "del") && x.end + blur_us >= invoked)
      return &x;
  return nullptr;
}

verdict judge(const history& run) {
  verdict result;
  for (const auto& x : run.faults)
    ++result.faults[x.kind];
  for (const auto& x : run.phantoms)
    result.violated("phantom", x + " was never added");
  judge_adds(run, result);
  judge_readers(run, result);
  judge_deliveries(run, result);
  judge_counts(run, result);
  judge_order(run, result);
  judge_notices(run, result);
  judge_end(run, result);
  measure_recovery(run, result);
  return result;
}

} // namespace pulse::chaos
