#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/supervision.hpp"
#include "pulse/actors/sink_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns a sink, which creates missing consumer groups at once and repeats
/// failed attempts, for instance while Redis is away.
/// @param options Must be valid, see validate().
/// @param supervisor Is told about subscribers and listeners, so that it can
/// start the sink again with them.
sink_actor spawn_sink(caf::actor_system& sys, sink_options options,
                      connection_source redis, lease_actor leases,
                      supervision supervisor = {},
                      const internal::environment& env = {});

} // namespace pulse
