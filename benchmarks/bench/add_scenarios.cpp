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
               {2, 100})};
}

} // namespace pulse::bench
