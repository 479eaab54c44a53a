#pragma once

#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pulse::test {

/// A node, and sinks with short times.
struct sink_fixture : redis_fixture {
  recorder seen;

  using redis_fixture::redis_fixture;

  static sink_options options(std::string name,
                              std::vector<std::string> streams) {
    sink_options result;
    result.name = std::move(name);
    result.streams = std::move(streams);
    result.start = start_position::oldest();
    result.lease = std::chrono::seconds{1};
    result.backoff = {milliseconds{50}};
    result.sweep_interval = milliseconds{100};
    return result;
  }

  pulse::sink open(sink_options x) {
    return must(ps.sink(std::move(x)));
  }

  /// Waits until nothing is pending.
  bool drained(const std::string& stream, const std::string& sink) {
    return eventually([&] { return raw.pending(stream, sink) == 0; });
  }
};

} // namespace pulse::test
