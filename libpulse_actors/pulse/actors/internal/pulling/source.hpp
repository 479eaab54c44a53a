#pragma once

#include "pulse/actors/internal/pulling/queue.hpp"
#include "pulse/actors/messages.hpp"
#include "pulse/actors/root_actor.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <string>

namespace pulse::internal {

/// What the source of an inbox has to know.
struct pull_source_options {
  /// The sink or the reader.
  caf::actor from;
  bool is_sink = false;
  /// Starts it again if it dies of a defect; may be null.
  root_actor root;
  /// Its name there.
  std::string name;
  /// That of the sink; 0: events may wait for any time.
  milliseconds ack_wait{0};
};

/// Passes the events of a reader or a sink to a queue, and their outcomes back.
/// Whoever spawns it subscribes it.
using pull_source = extended_interface<event_listener,
                                       // Deliveries have outcomes.
                                       caf::result<void>(caf::update_atom),
                                       // The inbox takes no more events.
                                       caf::result<void>(caf::close_atom),
                                       caf::result<void>(caf::tick_atom)>;

pull_source spawn_pull_source(caf::actor_system& sys,
                              pull_source_options options,
                              std::shared_ptr<pull_queue> queue);

} // namespace pulse::internal
