#pragma once

#include "pulse/actors/config.hpp"

#include <caf/atom.hpp>
#include <caf/timespan.hpp>

#include <cstddef>

namespace pulse::test {

/// A configuration for an actor system that does nothing by itself: its owner
/// runs one message at a time and moves its clock.
struct stepwise_config : config {
  stepwise_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.file-verbosity", caf::atom("quiet"));
    set("middleman.network-backend", caf::atom("testing"));
    set("middleman.manual-multiplexing", true);
    set("middleman.heartbeat-interval", caf::timespan{0});
    set("middleman.workers", size_t{0});
  }
};

} // namespace pulse::test
