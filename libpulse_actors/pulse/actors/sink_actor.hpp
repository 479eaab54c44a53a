#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages includes type_ids.hpp as well; all.hpp and
// system.hpp bring it.

namespace pulse {

/// A sink: this node's member of a named consumer group. Delivers each event
/// to one of the subscribers of all nodes that opened the same sink, until it
/// is acknowledged or becomes a dead letter. It reads only while somebody is
/// subscribed, and never more than subscribers can take.
using sink_actor = caf::typed_actor<
  // Adds a subscriber. Repeating it changes the credit. A subscriber that dies
  // is removed and its events go to others at once. Answers when the consumer
  // groups exist. Errors: `no_such_subscriber` (dead already), `wrong_type`,
  // `closed`, connection errors.
  caf::replies_to<caf::subscribe_atom, event_listener,
                  subscription>::with<void>,
  // Removes a subscriber; what it holds it may finish. Answers whether it was
  // one.
  caf::replies_to<caf::unsubscribe_atom, event_listener>::with<bool>,
  // For `ack_mode::manual`: the event is done. Answers after Redis said so.
  // Error: `no_such_delivery`, if this sink does not hold it (it was acked or
  // handed over before): harmless.
  caf::replies_to<atom::ack, delivery_id>::with<void>,
  // For `ack_mode::manual`: the event failed; it is delivered again after the
  // delay, 0: the backoff list's. Error: `no_such_delivery`.
  caf::replies_to<atom::nack, delivery_id, caf::timespan>::with<void>,
  // For `ack_mode::manual`: still working on it; `ack_wait` starts again.
  // Error: `no_such_delivery`.
  caf::replies_to<atom::extend, delivery_id>::with<void>,
  // For `ack_mode::manual`: no use trying again; the event becomes a dead
  // letter with that reason. Error: `no_such_delivery`.
  caf::replies_to<atom::term, delivery_id, std::string>::with<void>,
  // Adds a stream; answers when its consumer group exists. `start` counts only
  // if the group is new. Repeating it is fine. Errors: `invalid_name`,
  // `wrong_type`, connection errors.
  caf::replies_to<atom::add_stream, std::string, start_position>::with<void>,
  // Removes a stream: reads no more of it, hands back what no subscriber works
  // on, keeps the group. Answers whether it was one.
  caf::replies_to<atom::rem_stream, std::string>::with<bool>,
  // Asks for notices: what was lost or repaired. Repeating it is fine; a
  // listener that dies is forgotten. Errors: `no_such_subscriber` (dead
  // already), `closed`.
  caf::replies_to<caf::subscribe_atom, notice_listener>::with<void>,
  // No more notices; answers whether it was a listener.
  caf::replies_to<caf::unsubscribe_atom, notice_listener>::with<bool>,
  caf::replies_to<atom::info>::with<sink_info>,
  // Drains: reads no more, waits up to `drain_timeout` for what subscribers
  // work on, flushes acks, hands the rest to other nodes (without counting it
  // as a failure), removes the consumer, stops. Answers when done. A second
  // close answers the same.
  caf::replies_to<caf::close_atom>::with<void>>;

/// Error reason for handlers that want an event to become a dead letter
/// instead of being tried again: return `pulse::term("why")`.
caf::error term(std::string reason);

} // namespace pulse
