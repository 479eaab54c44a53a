#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/actor_system.hpp>

#include "simulation/node/node_link.hpp"

namespace pulse::simulation {

/// Spawns a subscriber of a reader, which takes its time with some events.
event_listener spawn_subscriber(caf::actor_system& sys, node_link& home,
                                uint32_t id);

} // namespace pulse::simulation
