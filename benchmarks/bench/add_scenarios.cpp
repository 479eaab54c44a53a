#include "bench/adding.hpp"
#include "bench/scenario.hpp"

namespace pulse::bench {

namespace {

constexpr auto stream_name = "bench";

values added_per_second(stage& at, size_t added) {
  return {static_cast<double>(added) / at.end()};
}

values limit(stage& at, size_t open) {
  at.begin();
  return added_per_second(at, add_with_hiredis(at.raw(), at.how(), stream_name,
                                               open));
}

values library(stage& at, adding how) {
  node here{at};
  auto stream = must(here.pulse().stream(stream_name));
  at.begin();
  return added_per_second(at, add_with_library(here, at.how(),
                                               {stream.handle()}, how));
}

values with_producer(stage& at) {
  node here{at};
  auto stream = must(here.pulse().stream(stream_name));
  auto out = must(stream.producer());
  const std::string payload(at.how().payload, 'x');
  size_t added = 0;
  at.begin();
  for (const auto end = clock_type::now() + at.how().duration();
       clock_type::now() < end; ++added)
    must(out.add("added", payload));
  if (const auto failed = must(out.flush(std::chrono::minutes{1}));
      !failed.empty())
    throw std::runtime_error{"an add failed: " + to_string(failed.front().why)};
  return added_per_second(at, added);
}

scenario adds(std::string name, std::string about, adding how) {
  const auto open = how.open * how.batch;
  return {std::move(name),
          std::move(about),
          {{"events/s"}},
          nullptr,
          [open](stage& at) { return limit(at, open); },
          [how](stage& at) { return library(at, how); }};
}

} // namespace

std::vector<scenario> add_scenarios() {
  return {adds("add-1", "adds, one request open", {1}),
          adds("add-64", "adds, 64 requests open", {64}),
          adds("add-512", "adds, 512 requests open", {512}),
          adds("add-vectors", "adds of 100 events each, two requests open",
               {2, 100}),
          {"add-producer",
           "adds by a producer, one thread, window of 1000",
           {{"events/s"}},
           nullptr,
           [](stage& at) { return limit(at, producer_options{}.max_open); },
           with_producer}};
}

} // namespace pulse::bench
