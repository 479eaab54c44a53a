#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages must include type_ids.hpp as well; all.hpp and
// system.hpp include it.

namespace pulse {

/// A sink is this node's member of a consumer group. All nodes that open a sink
/// with the same name share its events: each event is delivered to one
/// subscriber of one node, until it is acknowledged or becomes a dead letter. A
/// sink reads only while it has a subscriber, and only as many events as its
/// subscribers can take.
using sink_actor = caf::typed_actor<
  // Adds a subscriber. The reply comes when the consumer groups exist. A second
  // subscription of the same subscriber changes its credit. If a subscriber
  // terminates, the sink removes it, and its events go to other subscribers at
  // once.
  // Errors: `no_such_subscriber` (it has terminated already), `wrong_type`,
  // `closed`, connection errors.
  caf::replies_to<caf::subscribe_atom, event_listener,
                  subscription>::with<void>,
  // Removes a subscriber, which may finish the events that it holds. The reply
  // tells whether it was subscribed.
  caf::replies_to<caf::unsubscribe_atom, event_listener>::with<bool>,
  // For `ack_mode::manual`: acknowledges the event. The reply comes after Redis
  // has stored that. Error: `no_such_delivery`, if this sink does not hold the
  // event, because it was acknowledged or handed to another node before. That
  // does no harm.
  caf::replies_to<atom::ack, delivery_id>::with<void>,
  // For `ack_mode::manual`: the event failed, and is delivered again after the
  // delay; 0: after the pause from the `backoff` list. Error:
  // `no_such_delivery`.
  caf::replies_to<atom::nack, delivery_id, caf::timespan>::with<void>,
  // For `ack_mode::manual`: the subscriber still works on the event, so
  // `ack_wait` begins again. Error: `no_such_delivery`.
  caf::replies_to<atom::extend, delivery_id>::with<void>,
  // For `ack_mode::manual`: the event can never be handled, and becomes a dead
  // letter with the given reason. Error: `no_such_delivery`.
  caf::replies_to<atom::term, delivery_id, std::string>::with<void>,
  // Adds a stream. The reply comes when its consumer group exists. The start
  // position is used only if the group is new. To add a stream again has no
  // effect.
  // Errors: `invalid_name`, `wrong_type`, connection errors.
  caf::replies_to<atom::add_stream, std::string, start_position>::with<void>,
  // Removes a stream: the sink stops reading it, hands back the events that no
  // subscriber works on, and keeps the consumer group. The reply tells whether
  // the sink had the stream.
  caf::replies_to<atom::rem_stream, std::string>::with<bool>,
  // Adds a listener for notices, which report losses and repairs. To add it
  // again has no effect. The sink removes listeners that terminate. Errors:
  // `no_such_subscriber` (it has terminated already), `closed`.
  caf::replies_to<caf::subscribe_atom, notice_listener>::with<void>,
  // Removes a listener for notices. The reply tells whether it was one.
  caf::replies_to<caf::unsubscribe_atom, notice_listener>::with<bool>,
  // Replies with the counters of this instance.
  caf::replies_to<atom::info>::with<sink_info>,
  // Drains the sink: it stops reading, waits at most `drain_timeout` for the
  // events that subscribers work on, sends all acks, hands the other events
  // back for other nodes (which does not count as a failure), removes its
  // consumer and terminates. The reply comes when that is done. A second close
  // gets the same reply.
  caf::replies_to<caf::close_atom>::with<void>>;

/// Makes the error with which a handler turns an event into a dead letter
/// instead of a redelivery: `return pulse::term("why")`.
caf::error term(std::string reason);

} // namespace pulse
