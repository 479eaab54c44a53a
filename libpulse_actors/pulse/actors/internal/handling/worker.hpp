#pragma once

#include "pulse/actors/handler.hpp"

namespace pulse::internal {

/// Spawns a subscriber of a sink that calls `handler` on a thread of its own,
/// one event at a time.
event_listener spawn_worker(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler);

/// The same for batches.
event_listener spawn_batch_worker(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  const batch_handler_options& how);

} // namespace pulse::internal
