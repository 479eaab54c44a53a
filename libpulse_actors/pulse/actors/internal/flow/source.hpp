#pragma once

#include "pulse/actors/internal/flow/inbox.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <memory>

namespace pulse::internal {

/// What the source of a flow has to know.
struct flow_source_options {
  /// The sink or the reader.
  caf::actor from;
  bool is_sink = false;
  /// See `observe`.
  uint32_t credit = 0;
  /// The actor of the flow. The source lets go of it when it has begun.
  caf::actor consumer;
};

/// Spawns the actor that subscribes to a reader or a sink for a flow. It passes
/// the events to the inbox, and the outcomes to the reader or sink.
void spawn_flow_source(caf::actor_system& sys, flow_source_options options,
                       std::shared_ptr<flow_inbox> inbox);

} // namespace pulse::internal
