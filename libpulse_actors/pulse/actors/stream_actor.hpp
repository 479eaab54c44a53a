#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/typed_actor.hpp>

// Code that sends these messages must include type_ids.hpp as well; all.hpp and
// system.hpp include it.

namespace pulse {

/// A stream actor adds events to a stream and manages the stored ones. Each
/// reply comes after Redis has executed the request. Adds keep their order.
/// Adds that wait while others are under way are sent together as one batch.
///
/// Errors of all requests: `connection_lost` (outcome unknown), `timed_out`,
/// `connect_failed`, `overloaded`, `wrong_type`, `out_of_memory`, `read_only`,
/// `permission_denied`, `closed` and other errors that Redis reports; adds also
/// `retention_conflict`. The comments below name only further ones.
using stream_actor = actor_interface<
  // Adds one event; replies with its ID. Errors: `invalid_name`,
  // `payload_too_large`, `stream_full`, `dedup_conflict`.
  caf::result<event_id>(caf::add_atom, new_event),
  // Adds one event only if the stream exists. Errors: as above, and
  // `no_such_stream`.
  caf::result<event_id>(atom::add_exist, new_event),
  // Adds several events, in order, as one batch; replies with one result per
  // event. An event that is invalid or refused fails alone. The request itself
  // fails only if no event was sent.
  caf::result<std::vector<add_result>>(caf::add_atom, std::vector<new_event>),
  // Removes events by ID; replies with the number of those that existed. Sinks
  // that hold a removed event finish it.
  caf::result<uint64_t>(atom::remove, std::vector<event_id>),
  // Replies with stored events, oldest first. Entries that lack a field are
  // included, see event::well_formed(). Error: `invalid_option` (limit).
  caf::result<std::vector<event>>(atom::range, range_query),
  // Trims the stream to at most this many events, exactly and at once, even if
  // sinks have not acknowledged them. Replies with the number of removed
  // events.
  caf::result<uint64_t>(atom::trim, uint64_t),
  // Replies with what Redis and this actor know about the stream. Error:
  // `no_such_stream`.
  caf::result<stream_info>(atom::info),
  // Replies with what the stream keeps, in all processes. Error:
  // `retention_conflict`, if the stream was opened with other options.
  caf::result<stream_retention>(atom::retention),
  // Deletes the stream with its consumer groups, pending lists and metadata;
  // dead letters stay. Replies whether the stream existed. The actor stays
  // open: the next add creates the stream again.
  caf::result<bool>(atom::destroy),
  // Lists dead letters of a sink. Error: `invalid_option` (limit).
  caf::result<std::vector<dead_letter>>(atom::dead, dead_query),
  // Gives dead letters to their sink once more, at a limited rate; replies when
  // all of them were processed. If the actor is closed before that, the
  // remaining letters stay.
  caf::result<redrive_result>(atom::redrive, redrive_request),
  // Deletes dead letters; replies with their number.
  caf::result<uint64_t>(atom::purge, purge_request),
  // Sends all waiting adds and replies to them, then terminates. The reply
  // comes when that is done.
  caf::result<void>(caf::close_atom)>;

} // namespace pulse
