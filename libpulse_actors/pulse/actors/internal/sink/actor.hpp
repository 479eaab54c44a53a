#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/supervision.hpp"
#include "pulse/actors/sink_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns a sink; it creates missing consumer groups at once and keeps trying
/// while Redis is away.
/// @param options Must be valid, see validate().
/// @param supervisor Hears what it takes to start the sink again.
sink_actor spawn_sink(caf::actor_system& sys, sink_options options,
                      connection_source redis, lease_actor leases,
                      supervision supervisor = {},
                      const internal::environment& env = {});

} // namespace pulse
