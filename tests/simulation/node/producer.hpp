#pragma once

#include "pulse/actors/stream_actor.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "simulation/node/node_link.hpp"

#include <memory>

namespace pulse::simulation {

/// Spawns an actor that adds the planned events, some of them in batches.
/// @param id Payloads begin with it: "<id>/".
/// @param added How many events were added so far, also by the producers that
/// were there before.
caf::actor spawn_producer(caf::actor_system& sys, node_link& home, uint32_t id,
                          const producer_plan& what, stream_actor to,
                          std::shared_ptr<uint32_t> added);

} // namespace pulse::simulation
