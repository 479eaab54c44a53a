#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/leases/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>

#include <vector>

namespace pulse {

/// What an I/O thread of an endpoint has.
struct io_place {
  connection_source redis;
  lease_actor leases;
};

/// Spawns the root with given places, over which it spreads its children. The
/// root owns their lease keepers and shared connections: it closes all of them
/// when it terminates.
/// @param options Must be valid, see validate().
/// @pre `places` is not empty
root_actor spawn_root(caf::actor_system& sys, redis_options options,
                      std::vector<io_place> places,
                      const internal::environment& env = {});

} // namespace pulse
