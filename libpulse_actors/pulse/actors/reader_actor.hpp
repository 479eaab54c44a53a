#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages includes type_ids.hpp as well; all.hpp and
// system.hpp bring it.

namespace pulse {

/// A reader: each of its subscribers gets a copy of every event of its streams
/// that the filter wants, in stream order, from the start position on. It reads
/// only while somebody is subscribed, and never more than subscribers can take.
using reader_actor = caf::typed_actor<
  // Adds a subscriber; answers when it will see everything added from then on.
  // The position is the reader's: who subscribes later does not get what was
  // delivered before. Repeating it changes the credit. A subscriber that dies
  // is removed. Errors: `no_such_subscriber` (dead already), `closed`, and what
  // kept the reader from resolving `newest`.
  caf::replies_to<caf::subscribe_atom, event_listener,
                  subscription>::with<void>,
  // Removes a subscriber; answers whether it was one.
  caf::replies_to<caf::unsubscribe_atom, event_listener>::with<bool>,
  // Adds a stream, beginning at the position; answers when it is read. A
  // stream that it reads already stays where it is. Errors: `invalid_name`,
  // `wrong_type`, connection errors.
  caf::replies_to<atom::add_stream, std::string, start_position>::with<void>,
  // Removes a stream; answers whether it was read. Events on their way are
  // still delivered.
  caf::replies_to<atom::rem_stream, std::string>::with<bool>,
  // Asks for notices: what was lost or repaired. Repeating it is fine; a
  // listener that dies is forgotten. Errors: `no_such_subscriber` (dead
  // already), `closed`.
  caf::replies_to<caf::subscribe_atom, notice_listener>::with<void>,
  // No more notices; answers whether it was a listener.
  caf::replies_to<caf::unsubscribe_atom, notice_listener>::with<bool>,
  caf::replies_to<atom::info>::with<reader_info>,
  // Stops reading and delivering, then the actor. Answers when done, within
  // 100 ms even though a read is blocked. A second close answers the same.
  caf::replies_to<caf::close_atom>::with<void>>;

} // namespace pulse
