#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/stream_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns a stream actor. The caller owns `redis` and must keep it open until
/// the actor has terminated.
/// @param options Must be valid, see validate().
/// @param host Where the actor runs; null: on the scheduler.
stream_actor spawn_stream(caf::actor_system& sys, stream_options options,
                          connection_actor redis,
                          const internal::environment& env = {},
                          const internal::io_host_ptr& host = nullptr);

} // namespace pulse
