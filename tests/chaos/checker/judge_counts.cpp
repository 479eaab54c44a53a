#include "chaos/checker/checker.hpp"

#include <algorithm>

namespace pulse::chaos {

namespace {

using end = execution::end;

// So often a worker may end normally while an event is its oldest one, before
// that counts as a failure of the event.
constexpr int64_t quits_without_blame = 3;

// The times in the journals are not exact.
constexpr int64_t blur_us = 5'000;

/// Judges the counts of one event in one sink from one execution to the next.
struct counts_judge {
  const history& run;
  verdict& out;
  const std::string& sink;

  [[nodiscard]] const std::string& slot(const execution& x) const {
    return run.instances[x.at].slot;
  }

  void violated(const std::string& rule, const execution& before,
                const execution& now, const std::string& why) const {
    auto counts = [](const execution& x) {
      return std::to_string(x.deliveries) + "/" + std::to_string(x.failures)
             + "/" + std::to_string(x.crashes);
    };
    out.violated(rule, sink + ": " + run.label(now.event) + " ("
                         + to_string(now.id) + ") at " + slot(now) + " at "
                         + std::to_string(now.began) + " us has counts "
                         + counts(now) + " after " + counts(before) + ", "
                         + why);
  }

  void next(const execution& before, const execution& now) const {
    if (explanation(run, slot(before), slot(now), now.began) != nullptr)
      return;
    if (now.deliveries <= before.deliveries)
      violated("not counted", before, now, "though it was delivered again");
    else if (before.how == end::failed && now.failures <= before.failures)
      violated("not counted", before, now, "though its worker refused it");
    else if (before.how == end::crashed && now.crashes <= before.crashes)
      violated("not counted", before, now, "though its worker crashed");
    else if (before.how == end::failed
             && now.began - before.ended < shortest_pause(before, now))
      violated("too soon", before, now,
               std::to_string(now.began - before.ended)
                 + " us after its worker refused it");
  }

  // Pauses vary by a quarter.
  [[nodiscard]] int64_t shortest_pause(const execution& before,
                                       const execution& now) const {
    const auto& pauses = run.instances[before.at].backoff_us;
    if (pauses.empty() || now.failures == 0)
      return 0;
    return pauses[std::min<size_t>(now.failures, pauses.size()) - 1] * 3 / 4
           - blur_us;
  }

  // Workers that end after an event may make the next one their oldest.
  [[nodiscard]] int64_t quits(const execution* first,
                              const execution& now) const {
    const auto left = std::count_if(first, &now, [](const execution& x) {
      return x.how == end::left;
    });
    const auto retired = std::count_if(
      run.faults.begin(), run.faults.end(), [&](const fault& x) {
        return x.kind == "retire" && x.slot == slot(now)
               && x.begin >= first->began && x.begin <= now.began;
      });
    return left + retired;
  }

  void blame(const execution* first, const execution& now) const {
    const auto& before = *(&now - 1);
    if (before.how == end::left && before.at == now.at
        && quits(first, now) <= quits_without_blame
        && (now.failures > before.failures || now.crashes > before.crashes)
        && explanation(run, slot(before), slot(now), now.began) == nullptr)
      violated("blamed", before, now, "though its worker ended normally");
  }
};

} // namespace

void judge_counts(const history& run, verdict& out) {
  for (const auto& [sink, executions] : run.sinks) {
    auto xs = executions;
    std::sort(xs.begin(), xs.end(), [](const auto& a, const auto& b) {
      return a.id != b.id ? a.id < b.id : a.began < b.began;
    });
    const counts_judge judge{run, out, sink};
    const execution* first = nullptr;
    for (const auto& x : xs) {
      if (first == nullptr || first->id != x.id) {
        first = &x;
        continue;
      }
      judge.next(*(&x - 1), x);
      judge.blame(first, x);
    }
  }
}

} // namespace pulse::chaos
