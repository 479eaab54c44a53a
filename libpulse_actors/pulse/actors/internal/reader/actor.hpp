#pragma once

#include "pulse/actors/internal/hub/source.hpp"
#include "pulse/actors/internal/runtime/environment.hpp"
#include "pulse/actors/internal/runtime/supervision.hpp"
#include "pulse/actors/reader_actor.hpp"

#include <caf/actor_system.hpp>

namespace pulse {

/// Spawns a reader. The reader resolves `newest` at once; the reply to the
/// first subscribe waits for that.
/// @param options Must be valid, see validate().
/// @param hubs Where it finds the hub, which reads for it.
/// @param supervisor Is told what a supervisor needs to restart the reader.
reader_actor spawn_reader(caf::actor_system& sys, reader_options options,
                          internal::hub_source_ptr hubs,
                          supervision supervisor = {},
                          const internal::environment& env = {});

} // namespace pulse
