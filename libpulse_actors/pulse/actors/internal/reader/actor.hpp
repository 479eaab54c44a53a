#pragma once

#include "pulse/actors/internal/connection/actor.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/supervision.hpp"
#include "pulse/actors/reader_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns a reader. It resolves `newest` at once; the answer to the first
/// subscribe waits for it.
/// @param options Must be valid, see validate().
/// @param supervisor Hears what it takes to start the reader again.
reader_actor spawn_reader(caf::actor_system& sys, reader_options options,
                          connection_source redis, supervision supervisor = {},
                          const internal::environment& env = {});

} // namespace pulse
