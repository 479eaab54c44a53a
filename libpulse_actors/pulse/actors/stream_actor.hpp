#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages includes type_ids.hpp as well; all.hpp and
// system.hpp bring it.

namespace pulse {

/// A stream: adds events, and manages what is stored. Answers come after Redis
/// did it. Adds keep their order; those that wait while others are under way
/// are sent as one batch.
///
/// Errors of all: `connection_lost` (outcome unknown), `timed_out`,
/// `connect_failed`, `overloaded`, `wrong_type`, `out_of_memory`, `read_only`,
/// `permission_denied`, `closed` and what else Redis says.
using stream_actor = caf::typed_actor<
  // Adds one event; answers its ID. Errors, besides: `invalid_name`,
  // `payload_too_large`.
  caf::replies_to<caf::add_atom, new_event>::with<event_id>,
  // Adds only if the stream exists. Error, besides: `no_such_stream`.
  caf::replies_to<atom::add_exist, new_event>::with<event_id>,
  // Adds several, in order, as one batch; answers one result each. A bad or
  // refused event fails alone. An error only if nothing was sent.
  caf::replies_to<caf::add_atom,
                  std::vector<new_event>>::with<std::vector<add_result>>,
  // Removes events by ID; answers how many existed. Sinks that hold one finish
  // it.
  caf::replies_to<atom::remove, std::vector<event_id>>::with<uint64_t>,
  // Stored events, oldest first; also entries that lack a field, see
  // event::well_formed(). Error, besides: `invalid_option` (limit).
  caf::replies_to<atom::range, range_query>::with<std::vector<event>>,
  // Trims to at most that many events, exactly and at once, acknowledged or
  // not; answers how many were removed.
  caf::replies_to<atom::trim, uint64_t>::with<uint64_t>,
  // Error: `no_such_stream`.
  caf::replies_to<atom::info>::with<stream_info>,
  // Deletes the stream with its sinks' cursors, pending lists and metadata;
  // dead letters stay. Answers whether it existed. The actor goes on: the next
  // add creates the stream anew.
  caf::replies_to<atom::destroy>::with<bool>,
  // Lists the dead letters of a sink. Error, besides: `invalid_option` (limit).
  caf::replies_to<atom::dead, dead_query>::with<std::vector<dead_letter>>,
  // Gives dead letters to their sink again, at a limited rate; answers when all
  // were. Closing ends it: what is left is still there.
  caf::replies_to<atom::redrive, redrive_request>::with<redrive_result>,
  // Deletes dead letters; answers how many.
  caf::replies_to<atom::purge, purge_request>::with<uint64_t>,
  // Sends what waits, answers it, then stops. Answers when done.
  caf::replies_to<caf::close_atom>::with<void>>;

} // namespace pulse
