// What a sink decides about its events.

#include "pulse/core/delivery/ledger.hpp"

#include "pure/allocations.hpp"
#include "pure/replies.hpp"

namespace pulse::bench {

namespace {

using namespace std::chrono_literals;

// Events come from Redis, go to the workers, and are acknowledged. The argument
// is the credit of each of the two workers.
void deliver(benchmark::State& state, dispatch_mode how) {
  constexpr size_t events = 1'000;
  delivery_ledger::settings settings;
  settings.dispatch = how;
  settings.backoff = {1s};
  delivery_ledger ledger{settings, random_engine{1}};
  for (const auto worker : {worker_id{1}, worker_id{2}})
    ledger.add_worker(worker, static_cast<uint32_t>(state.range(0)));
  const auto block = page_with(events, 64).block;
  const delivery_ledger::time_point now{1h};
  std::vector<delivery_ledger::dispatch> out;
  std::vector<delivery_ledger::action> actions;
  per_event result{state};
  for ([[maybe_unused]] auto step : state) {
    for (uint32_t i = 0; i < events; ++i)
      ledger.fetched(0, event{block, i, {1, 0, 0}});
    while (ledger.size() > 0) {
      out.clear();
      ledger.dispatch_to(out, now);
      for (const auto& x : out)
        ledger.done(x.what, x.to, now);
      ledger.take_actions(actions);
      for (const auto& x : actions)
        ledger.forget(x.entry);
      actions.clear();
    }
  }
  result.report(events);
}
BENCHMARK_CAPTURE(deliver, balanced, dispatch_mode::balanced)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(deliver, keyed, dispatch_mode::keyed)->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(deliver, broadcast, dispatch_mode::broadcast)->Arg(64);

} // namespace

} // namespace pulse::bench
