#pragma once

#include "support/allocations.hpp"
#include <benchmark/benchmark.h>

#include <cstdint>

namespace pulse::bench {

/// Reports the time and the number of allocations per event.
class per_event {
public:
  explicit per_event(benchmark::State& state)
    : state_(state), before_(test::count_allocations().count) {
    // nop
  }

  per_event(const per_event&) = delete;
  per_event& operator=(const per_event&) = delete;

  /// Call this after the loop.
  /// @param events Number of events of one iteration.
  void report(int64_t events) {
    const auto n = state_.iterations() * events;
    const auto allocations = test::count_allocations().count - before_;
    state_.counters["allocations"] = static_cast<double>(allocations)
                                     / static_cast<double>(n);
    state_.counters["time_per_event"] = benchmark::Counter(
      static_cast<double>(n),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  }

private:
  benchmark::State& state_;
  uint64_t before_;
};

} // namespace pulse::bench
