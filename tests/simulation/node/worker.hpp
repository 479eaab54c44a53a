#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/actor_system.hpp>

#include "simulation/world/world.hpp"

namespace pulse::simulation {

/// What the actors of a node get from it. A dead node reports nothing.
struct node_link {
  world& all;
  const moods& how;
  bool is_dead = false;
};

/// Spawns a worker that handles one event after the other: it returns after
/// some time, or fails, rejects the event, dies or hangs, as chance decides.
/// @param id,at The worker's and its sink's number.
/// @param died Called when the worker ends by itself.
event_listener spawn_worker(caf::actor_system& sys, node_link& home,
                            worker_id id, instance_id at,
                            std::function<void()> died);

/// Spawns a subscriber of a reader, which takes its time, too.
event_listener spawn_subscriber(caf::actor_system& sys, node_link& home,
                                uint32_t id);

} // namespace pulse::simulation
