#pragma once

#include <caf/actor.hpp>

#include "bench/stage.hpp"

namespace pulse::bench {

/// How a producer adds.
struct adding {
  /// How many requests are open at a time, over all streams.
  size_t open = 1;
  /// How many events each request has; 1: a request for one event.
  size_t batch = 1;
};

/// Keeps requests open for the time that the settings say.
/// @returns the number of added events.
size_t add_with_library(node& at, const settings& how,
                        const std::vector<stream_actor>& streams, adding x);

/// The same with hiredis, which keeps as many commands in its pipeline.
size_t add_with_hiredis(raw_client& at, const settings& how,
                        const std::string& stream, size_t open);

} // namespace pulse::bench
