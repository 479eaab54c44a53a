#pragma once

#include "pulse/actors/handler.hpp"
#include "pulse/actors/root_actor.hpp"

#include <string>

namespace pulse::internal {

/// A sink whose events are handled.
struct handled_sink {
  sink_actor actor;
  /// The root that starts the sink again if it dies of a defect; may be null.
  root_actor root;
  std::string name;
  /// Subscriptions that fail because Redis is away are tried again.
  bool lazy = false;
};

handler_actor spawn_handler(caf::actor_system& sys, handled_sink sink,
                            event_handler handler, handler_options how);
handler_actor spawn_batch_handler(caf::actor_system& sys, handled_sink sink,
                                  batch_handler handler,
                                  batch_handler_options how);

} // namespace pulse::internal
