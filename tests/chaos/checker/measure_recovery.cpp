#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

using end = execution::end;

constexpr int64_t ms = 1'000;
constexpr int64_t crash_limit_us = 50 * ms;
constexpr int64_t kill_slack_us = 1'500 * ms;
constexpr int64_t redis_limit_us = 2'000 * ms;

// Returns whether a fault other than `but` happened between `begin` and `last`.
// If so, the measured time is not that of the fault `but` alone.
bool disturbed(const history& run, const fault* but, const std::string& slot,
               int64_t begin, int64_t last) {
  return std::any_of(run.faults.begin(), run.faults.end(), [&](const fault& f) {
    return &f != but && hits(f, slot) && f.begin <= last
           && f.end + 1'000 * ms >= begin;
  });
}

const fault* kill_of(const history& run, const execution& x, int64_t until) {
  for (const auto& f : run.faults)
    if (f.kind == "kill" && f.slot == run.instances[x.at].slot
        && f.begin >= x.began && f.begin <= until)
      return &f;
  return nullptr;
}

// Pauses vary by a quarter.
int64_t longest_pause(const history& run, const execution& before,
                      const execution& now) {
  const auto& pauses = run.instances[before.at].backoff_us;
  if (pauses.empty() || now.failures == 0)
    return 0;
  return pauses[std::min<size_t>(now.failures, pauses.size()) - 1] * 5 / 4;
}

void measure_workers(const history& run, std::vector<execution> xs,
                     verdict& out) {
  std::sort(xs.begin(), xs.end(), [](const auto& a, const auto& b) {
    return a.event != b.event ? a.event < b.event : a.began < b.began;
  });
  for (size_t i = 0; i < xs.size(); ++i) {
    const bool again = i > 0 && xs[i].event == xs[i - 1].event;
    const auto& slot = run.instances[xs[i].at].slot;
    if (!again) {
      const auto& added = run.adds[xs[i].event];
      if (added.how == add::outcome::ok)
        out.add_to_delivery.add(xs[i].began - added.invoked);
      continue;
    }
    const auto& before = xs[i - 1];
    if (before.how == end::crashed
        && !disturbed(run, nullptr, slot, before.ended, xs[i].began))
      out.crash_to_redelivery.add(xs[i].began - before.ended);
    if (before.how == end::failed
        && !disturbed(run, nullptr, slot, before.ended, xs[i].began))
      out.pause_overrun.add(std::max<int64_t>(
        xs[i].began - before.ended - longest_pause(run, before, xs[i]), 0));
    // Otherwise the end was counted as a failure, and the event had to wait.
    if (before.how == end::left && xs[i].failures == before.failures
        && !disturbed(run, nullptr, slot, before.ended, xs[i].began))
      out.quit_to_redelivery.add(xs[i].began - before.ended);
    if (before.how != end::none)
      continue;
    const auto* kill = kill_of(run, before, xs[i].began);
    if (kill == nullptr || disturbed(run, kill, slot, kill->begin, xs[i].began))
      continue;
    const auto took = xs[i].began - kill->begin;
    out.kill_to_redelivery.add(took);
    out.kill_overrun.add(
      std::max<int64_t>(took - lease_of(run, run.instances[before.at]), 0));
  }
}

// Measures the time from the first answer of Redis to the first add that it
// confirms, and to the first delivery of an event that was added afterwards.
void measure_redis(const history& run, verdict& out) {
  std::vector<int64_t> delivered(run.adds.size());
  for (const auto& [sink, xs] : run.sinks)
    for (const auto& x : xs)
      if (auto& first = delivered[x.event]; first == 0 || x.began < first)
        first = x.began;
  for (const auto& f : run.faults) {
    if (f.kind != "redis-kill" && f.kind != "redis-stop" && f.kind != "outage")
      continue;
    int64_t added = INT64_MAX;
    int64_t began = INT64_MAX;
    for (size_t i = 0; i < run.adds.size(); ++i) {
      const auto& x = run.adds[i];
      if (x.how != add::outcome::ok || x.answered < f.end)
        continue;
      added = std::min(added, x.answered);
      // An event may be delivered long before its add is confirmed.
      if (delivered[i] >= f.end)
        began = std::min(began, delivered[i]);
    }
    // The producers have ended, or the next fault came first.
    if (added != INT64_MAX && !disturbed(run, &f, {}, f.end, added))
      out.redis_back_to_add.add(added - f.end);
    if (began != INT64_MAX && !disturbed(run, &f, {}, f.end, began))
      out.redis_back_to_delivery.add(began - f.end);
  }
}

void judge_time(const char* what, int64_t took, int64_t limit, verdict& out) {
  if (took > limit)
    out.violated("too slow",
                 std::string{what} + " took " + std::to_string(took / ms)
                   + " ms, " + std::to_string(limit / ms) + " ms are promised");
}

} // namespace

void measure_recovery(const history& run, verdict& out) {
  for (const auto& [sink, xs] : run.sinks)
    measure_workers(run, xs, out);
  measure_redis(run, out);
  if (!run.how.judge_times)
    return;
  judge_time("worker crash to redelivery, p99",
             out.crash_to_redelivery.percentile(0.99), crash_limit_us, out);
  judge_time("worker quit to redelivery, p99",
             out.quit_to_redelivery.percentile(0.99), crash_limit_us, out);
  judge_time("the end of a dead node's lease to redelivery",
             out.kill_overrun.percentile(1), kill_slack_us, out);
  judge_time("Redis back to the next delivery",
             out.redis_back_to_delivery.percentile(1), redis_limit_us, out);
}

} // namespace pulse::chaos
