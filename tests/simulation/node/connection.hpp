#pragma once

#include "pulse/actors/internal/connection/actor.hpp"

#include <caf/actor_system.hpp>

#include "simulation/network/network.hpp"

namespace pulse::simulation {

/// Spawns a connection as spawn_connection() does, but over a simulated link:
/// the state machine is the library's, only the socket is not.
/// @param random Seeds the pauses between attempts to connect.
connection_actor spawn_simulated_connection(caf::actor_system& sys,
                                            const redis_options& options,
                                            connection_role role, network& net,
                                            uint32_t node, uint64_t random);

} // namespace pulse::simulation
