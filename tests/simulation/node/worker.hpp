#pragma once

#include "pulse/actors/sink_actor.hpp"

#include <caf/actor_system.hpp>

#include "simulation/node/node_link.hpp"

namespace pulse::simulation {

/// What a worker is to do.
struct worker_role {
  worker_id id = 0;
  instance_id at = 0;
  sink_actor sink;
  /// Whether the sink waits for messages of the worker instead of its replies.
  bool is_manual = false;
  /// Called when the worker ends by itself.
  std::function<void()> died;
};

/// Spawns a worker that handles one event or batch after the other: it returns
/// after some time, or fails, rejects the event, dies or hangs, as chance
/// decides. Of a batch it handles, fails or rejects all events, or only some.
event_listener spawn_worker(caf::actor_system& sys, node_link& home,
                            worker_role role);

} // namespace pulse::simulation
