#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/actors/root_actor.hpp"

#include <string>

namespace pulse::internal {

/// A subscription that is tried again until Redis can be reached.
using late_subscription_actor = actor_interface<
  // Begins, and replies when the first attempt has ended; an error is one that
  // is not transient. The actor ends when the subscriber is subscribed, or can
  // never be.
  caf::result<void>(caf::subscribe_atom)>;

/// @param root Starts `to` again if it dies of a defect; may be null.
/// @param name That of `to` at the root.
late_subscription_actor
spawn_late_subscription(caf::actor_system& sys, reader_actor to,
                        root_actor root, std::string name, event_listener who,
                        subscription how);
late_subscription_actor
spawn_late_subscription(caf::actor_system& sys, sink_actor to, root_actor root,
                        std::string name, event_listener who, subscription how);

} // namespace pulse::internal
