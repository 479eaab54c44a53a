// Which events a reader or sink wants: one of ten.

#include "pulse/core/event_filter.hpp"

#include "pure/allocations.hpp"
#include "pure/replies.hpp"

namespace pulse::bench {

namespace {

void filter(benchmark::State& state, const filter_options& options) {
  constexpr uint32_t events = 1'000;
  const auto block = page_with(events, 64).block;
  const auto wanted = event_filter::compile(options).value();
  per_event result{state};
  for ([[maybe_unused]] auto step : state) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < events; ++i)
      n += wanted.wants(event{block, i}) ? 1 : 0;
    if (n != events / 10)
      state.SkipWithError("the filter is wrong");
  }
  result.report(events);
}

void filter_topic(benchmark::State& state) {
  filter(state, {"t7", {}, {}});
}
BENCHMARK(filter_topic);

void filter_topic_pattern(benchmark::State& state) {
  filter(state, {{}, "t[7x]", {}});
}
BENCHMARK(filter_topic_pattern);

void filter_predicate(benchmark::State& state) {
  filter(state, {{}, {}, [](const event& x) { return x.topic() == "t7"; }});
}
BENCHMARK(filter_predicate);

} // namespace

} // namespace pulse::bench
