#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

using end = execution::end;

// Tolerance: the sink and the journal do not read the clock at the same time.
constexpr int64_t ack_wait_blur_us = 50'000;

constexpr int64_t lease_blur_us = 50'000;

/// The executions of one event in one sink, sorted by their begin.
struct group_judge {
  const history& run;
  verdict& out;
  verdict::of_sink& counts;
  const std::string& sink;

  [[nodiscard]] const std::string& slot(const execution& x) const {
    return run.instances[x.at].slot;
  }

  [[nodiscard]] std::string text(const execution& x) const {
    return run.label(x.event) + " (" + to_string(x.id) + ") at " + slot(x)
           + " worker " + std::to_string(x.worker) + " at "
           + std::to_string(x.began) + " us";
  }

  // Returns whether the process of `x` was killed during this execution.
  [[nodiscard]] bool died_with(const execution& x, int64_t until) const {
    return x.how == end::none
           && std::any_of(run.faults.begin(), run.faults.end(),
                          [&](const fault& f) {
                            return f.kind == "kill" && f.slot == slot(x)
                                   && f.begin >= x.began && f.begin <= until;
                          });
  }

  // A member renews its leases when a third of their time is over. So for at
  // least another third nobody else gets the events of a process that is
  // stopped or dead, unless there is another fault.
  void judge_lease(const execution& before, const execution& now) const {
    if (before.at == now.at || before.how == end::failed
        || before.how == end::crashed || before.how == end::left)
      return;
    const fault* cause = nullptr;
    for (const auto& f : run.faults) {
      if (f.begin > now.began || f.until < now.began || f.kind == "retire"
          || !(hits(f, slot(before)) || hits(f, slot(now))))
        continue;
      if (cause != nullptr || (f.kind != "kill" && f.kind != "stop")
          || f.slot != slot(before) || f.begin < before.began)
        return;
      cause = &f;
    }
    const bool held = cause != nullptr
                      && (before.how == end::none
                          || before.ended > cause->begin);
    if (held
        && now.began - cause->begin
             < lease_of(run, run.instances[before.at]) / 3 - lease_blur_us)
      out.violated("lease broken", sink + ": " + text(now) + ", "
                                     + std::to_string(now.began - cause->begin)
                                     + " us after the " + cause->kind + " of "
                                     + slot(before));
  }

  void again(const execution& before, const execution& now) const {
    judge_lease(before, now);
    if (before.how == end::done && before.ended <= now.began)
      return duplicate(before, now);
    if (before.how != end::none && before.ended <= now.began) {
      ++counts.retries[before.how == end::failed ? "nack"
                       : before.how == end::left ? "worker quit"
                                                 : "worker crash"];
      return;
    }
    if (died_with(before, now.began)) {
      ++counts.retries["node kill"];
      return;
    }
    // Both workers have the event.
    if (now.began - before.began >= run.how.ack_wait_us - ack_wait_blur_us) {
      ++counts.retries["ack_wait"];
      return;
    }
    if (const auto* f = explanation(run, slot(before), slot(now), now.began)) {
      ++counts.duplicates[f->kind];
      return;
    }
    out.violated("two live holders", sink + ": " + text(now) + ", while "
                                       + slot(before) + " worker "
                                       + std::to_string(before.worker)
                                       + " was at it since "
                                       + std::to_string(before.began) + " us");
  }

  void duplicate(const execution& before, const execution& now) const {
    if (const auto* f = explanation(run, slot(before), slot(now), now.began))
      ++counts.duplicates[f->kind];
    else
      out.violated("duplicate without a fault",
                   sink + ": " + text(now) + " had been done by " + slot(before)
                     + " at " + std::to_string(before.ended) + " us");
  }
};

// Returns the earlier execution that makes `now` a repetition: a successful one
// if there is any, or else one that has not ended, or else the last that ended.
// A repetition that ended badly has been judged itself, and is tried again.
const execution& reason_for(const std::vector<execution>& xs, size_t first,
                            size_t now) {
  const auto& last = xs[now - 1];
  const auto* result = &last;
  const bool retry = last.how != end::none && last.how != end::done
                     && last.ended <= xs[now].began;
  for (size_t i = first; i < now; ++i) {
    if (xs[i].how == end::done && xs[i].ended <= xs[now].began
        && !(retry && last.began >= xs[i].ended))
      return xs[i];
    if (xs[i].how == end::none || xs[i].ended > xs[now].began)
      result = &xs[i];
  }
  return *result;
}

void judge_sink(const history& run, const std::string& sink,
                std::vector<execution> xs, verdict& out) {
  auto& counts = out.sinks[sink];
  counts.executions = xs.size();
  // An event that is stored twice counts as two events here.
  std::sort(xs.begin(), xs.end(), [](const auto& a, const auto& b) {
    return a.id != b.id ? a.id < b.id : a.began < b.began;
  });
  std::vector<bool> settled(run.adds.size());
  group_judge group{run, out, counts, sink};
  size_t first = 0;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (xs[i].id != xs[first].id)
      first = i;
    if (xs[i].how == end::done)
      settled[xs[i].event] = true;
    if (i > first)
      group.again(reason_for(xs, first, i), xs[i]);
  }
  if (const auto dead = run.end.dead.find(sink); dead != run.end.dead.end()) {
    counts.dead_letters = dead->second.size();
    for (auto event : dead->second)
      if (event < settled.size())
        settled[event] = true;
  }
  group_losses losses{run, sink};
  for (const auto& x : run.end.stream)
    if (x.event < settled.size() && !settled[x.event]
        && losses.cause(x) == nullptr) // else judge_notices() judges it
      out.violated("lost", "sink " + sink + " neither finished nor gave up "
                             + run.label(x.event) + " (" + to_string(x.id)
                             + ")");
}

} // namespace

void judge_deliveries(const history& run, verdict& out) {
  for (const auto& [sink, executions] : run.sinks)
    judge_sink(run, sink, executions, out);
}

} // namespace pulse::chaos
