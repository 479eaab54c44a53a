#pragma once

#include "pulse/actors/handler.hpp"

#include <atomic>
#include <memory>

namespace pulse::internal {

/// Tells workers to begin no further event. Any thread may set it.
using stop_order = std::shared_ptr<const std::atomic<bool>>;

/// Spawns a subscriber of a sink that calls `handler` on a thread of its own,
/// one event at a time. After `stopped` it leaves the events in its mailbox
/// without an answer, so that the sink gives them to others when it ends.
event_listener spawn_worker(caf::actor_system& sys, const sink_actor& sink,
                            event_handler handler, stop_order stopped);

/// The same for batches. The subscription must say whether it takes batches,
/// see subscription_of().
event_listener spawn_batch_worker(caf::actor_system& sys,
                                  const sink_actor& sink, batch_handler handler,
                                  const batch_handler_options& how,
                                  stop_order stopped);

/// @returns how a worker for batches subscribes.
subscription subscription_of(const batch_handler_options& how);

} // namespace pulse::internal
