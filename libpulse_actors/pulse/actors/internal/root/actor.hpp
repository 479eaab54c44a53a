#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns the root with a given lease keeper and given connections. The root
/// owns the lease keeper and the shared connection: it closes both when it
/// terminates.
/// @param options Must be valid, see validate().
root_actor spawn_root(caf::actor_system& sys, redis_options options,
                      connection_source redis, lease_actor leases,
                      const internal::environment& env = {});

} // namespace pulse
