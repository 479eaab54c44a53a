#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages must include type_ids.hpp as well; all.hpp and
// system.hpp include it.

namespace pulse {

/// A reader sends every event of its streams that matches its filter to all of
/// its subscribers, in stream order, from the start position on. It asks for
/// events only while it has a subscriber, and only for as many as its
/// subscribers can take. The readers of a root share reads and a connection.
using reader_actor = actor_interface<
  // Adds a subscriber. The reply comes when the subscriber will get all events
  // that are added from then on. All subscribers share the position of the
  // reader: a later subscriber does not get the events that were delivered
  // before. A second subscription of the same subscriber changes its credit.
  // The reader removes subscribers that terminate. Errors: `no_such_subscriber`
  // (it has terminated already), `invalid_option`, `closed`, and the reason if
  // a stream cannot be opened. If Redis is away, that is a connection error,
  // after the `command_timeout`; the reader itself tries again until Redis is
  // back.
  caf::result<void>(caf::subscribe_atom, event_listener, subscription),
  // The same for a subscriber that gets its events in batches.
  caf::result<void>(caf::subscribe_atom, batch_listener, subscription),
  // Removes a subscriber. The reply tells whether it was subscribed.
  caf::result<bool>(caf::unsubscribe_atom, event_listener),
  caf::result<bool>(caf::unsubscribe_atom, batch_listener),
  // Adds a stream, to be read from the start position on. The reply comes when
  // the reader reads it. If the reader has that stream already, its position
  // stays unchanged. Errors: `invalid_name`, `wrong_type`, connection errors.
  caf::result<void>(atom::add_stream, std::string, start_position),
  // Removes a stream. The reply tells whether the reader had it. Events that
  // have been read already are still delivered.
  caf::result<bool>(atom::rem_stream, std::string),
  // Adds a listener for notices, which report losses and repairs. To add it
  // again has no effect. The reader removes listeners that terminate. Errors:
  // `no_such_subscriber` (it has terminated already), `closed`.
  caf::result<void>(caf::subscribe_atom, notice_listener),
  // Removes a listener for notices. The reply tells whether it was one.
  caf::result<bool>(caf::unsubscribe_atom, notice_listener),
  // Replies with the counters of the reader.
  caf::result<reader_info>(atom::info),
  // Stops reading and delivering, then terminates the actor. The reply comes
  // when that is done: within 100 ms, even while a blocking read waits. A
  // second close gets the same reply.
  caf::result<void>(caf::close_atom)>;

} // namespace pulse
