// Reading replies and writing commands.

#include "pulse/core/names.hpp"
#include "pulse/resp/add_batch.hpp"
#include "pulse/resp/command.hpp"
#include "pulse/resp/decoder.hpp"

#include "pure/allocations.hpp"
#include "pure/replies.hpp"

namespace pulse::bench {

namespace {

// From the bytes of the socket to events: arguments are the number of events
// and the size of a payload.
void decode(benchmark::State& state) {
  const auto events = static_cast<size_t>(state.range(0));
  const auto bytes = reply_with(events, static_cast<size_t>(state.range(1)));
  resp::decoder decoder;
  per_event result{state};
  for ([[maybe_unused]] auto step : state) {
    resp::reply reply;
    std::string_view rest{bytes};
    auto complete = decoder.next(rest, reply);
    auto page = resp::read_page(reply, stream_key({}));
    if (!complete || !page || page->block->extents.size() != events)
      state.SkipWithError("the reply was not read");
    benchmark::DoNotOptimize(page);
  }
  result.report(state.range(0));
  state.SetBytesProcessed(state.iterations()
                          * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(decode)->Args({1, 64})->Args({500, 64})->Args({500, 4'096});

// The commands that add events.
void encode_adds(benchmark::State& state) {
  stream_options options;
  options.name = "s";
  const resp::add_format format{options};
  const new_event x{"added",
                    std::string(static_cast<size_t>(state.range(1)), 'x'),
                    "t1"};
  per_event result{state};
  for ([[maybe_unused]] auto step : state) {
    resp::add_batch batch{format};
    for (int64_t i = 0; i < state.range(0); ++i)
      batch.append(x, false, "0123456789abcdef");
    auto commands = batch.finish();
    benchmark::DoNotOptimize(commands);
  }
  result.report(state.range(0));
}
BENCHMARK(encode_adds)->Args({1, 64})->Args({512, 64})->Args({512, 4'096});

// One XACK for several events.
void encode_acks(benchmark::State& state) {
  const auto key = stream_key("s");
  per_event result{state};
  for ([[maybe_unused]] auto step : state) {
    std::string bytes;
    resp::command_writer writer{bytes};
    writer.begin(3 + static_cast<size_t>(state.range(0)));
    writer.arg("XACK").arg(key).arg("sink");
    for (int64_t i = 0; i < state.range(0); ++i)
      writer.arg(event_id{1'700'000'000'000, static_cast<uint64_t>(i)});
    benchmark::DoNotOptimize(bytes);
  }
  result.report(state.range(0));
}
BENCHMARK(encode_acks)->Arg(1)->Arg(64);

} // namespace

} // namespace pulse::bench
