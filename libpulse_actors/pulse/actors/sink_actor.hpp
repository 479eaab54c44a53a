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
///
/// A handler that blocks (a database call, a sleep, a lock) must not run on the
/// threads of CAF's scheduler: it stops all actors that wait for the same
/// thread: other workers and, with CAF 1.x, also streams, readers and sinks.
/// Use sink::handle(), or spawn the subscriber with `caf::detached`. If all
/// threads are busy for a second, the sink logs that; this time counts for no
/// `ack_wait`.
using sink_actor = actor_interface<
  // Adds a subscriber. The reply comes when the consumer groups exist. A second
  // subscription of the same subscriber changes its credit. If a subscriber
  // terminates, the sink removes it, and its events go to other subscribers at
  // once.
  // Errors: `no_such_subscriber` (it has terminated already), `invalid_option`,
  // `wrong_type`, `closed`, connection errors.
  caf::result<void>(caf::subscribe_atom, event_listener, subscription),
  // The same for a subscriber that gets its events in batches.
  caf::result<void>(caf::subscribe_atom, batch_listener, subscription),
  // Removes a subscriber, which may finish the events that it holds. The reply
  // tells whether it was subscribed.
  caf::result<bool>(caf::unsubscribe_atom, event_listener),
  caf::result<bool>(caf::unsubscribe_atom, batch_listener),
  // For `ack_mode::manual`: acknowledges the event. The reply comes after Redis
  // has stored that. Error: `no_such_delivery`, if this sink does not hold the
  // event, because it was acknowledged or handed to another node before. That
  // does no harm.
  caf::result<void>(atom::ack, delivery_id),
  // The same for many events in one message, which costs much less. It
  // acknowledges all events that this sink holds. Error: `no_such_delivery`, if
  // it does not hold some of them; the text says how many, and why the first.
  caf::result<void>(atom::ack, std::vector<delivery_id>),
  // For `ack_mode::manual`: the event failed, and is delivered again after the
  // delay; 0: after the pause from the `backoff` list. Error:
  // `no_such_delivery`, also if this delivery ended when its `ack_wait` was
  // over: what comes too late changes no later delivery. (A late ack counts.)
  caf::result<void>(atom::nack, delivery_id, caf::timespan),
  // The subscriber still works on the event, and on the others of its batch, so
  // their `ack_wait` begins again. Error: `no_such_delivery`.
  caf::result<void>(atom::extend, delivery_id),
  // The same for many events in one message. It extends all of them that this
  // sink holds. Error: `no_such_delivery`, if it does not hold some of them;
  // the text says how many, and why the first.
  caf::result<void>(atom::extend, std::vector<delivery_id>),
  // For `ack_mode::manual`: the event can never be handled, and becomes a dead
  // letter with the given reason. Error: `no_such_delivery`.
  caf::result<void>(atom::term, delivery_id, std::string),
  // Adds a stream. The reply comes when its consumer group exists. The start
  // position is used only if the group is new. To add a stream again has no
  // effect.
  // Errors: `invalid_name`, `wrong_type`, connection errors.
  caf::result<void>(atom::add_stream, std::string, start_position),
  // Removes a stream: the sink stops reading it, hands back the events that no
  // subscriber works on, and keeps the consumer group. The reply tells whether
  // the sink had the stream.
  caf::result<bool>(atom::rem_stream, std::string),
  // Adds a listener for notices, which report losses and repairs. To add it
  // again has no effect. The sink removes listeners that terminate. Errors:
  // `no_such_subscriber` (it has terminated already), `closed`.
  caf::result<void>(caf::subscribe_atom, notice_listener),
  // Removes a listener for notices. The reply tells whether it was one.
  caf::result<bool>(caf::unsubscribe_atom, notice_listener),
  // Replies with the counters of this instance.
  caf::result<sink_info>(atom::info),
  // Drains the sink: it stops reading, waits at most `drain_timeout` for the
  // events that subscribers work on, sends all acks, hands the other events
  // back for other nodes (which does not count as a failure), removes its
  // consumer and terminates. The reply comes when that is done. A second close
  // gets the same reply.
  caf::result<void>(caf::close_atom)>;

/// Makes the error with which a handler turns an event into a dead letter
/// instead of a redelivery: `return pulse::term("why")`.
[[nodiscard]] caf::error term(std::string reason);

} // namespace pulse
