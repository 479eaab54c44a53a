#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/actors/reader_actor.hpp"
#include "pulse/actors/sink_actor.hpp"
#include "pulse/actors/stream_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include <string>

// Code that sends these messages must include type_ids.hpp as well; all.hpp and
// system.hpp include it.

namespace pulse {

/// The root; an actor system has one per Redis endpoint. It opens streams,
/// readers and sinks, finds those that are open, and restarts those that die of
/// a defect. It is the actor that a node publishes through CAF's middleman.
///
/// A restarted child is a new actor with the same options, streams, subscribers
/// and listeners; a reader goes on where it was. Handles of the dead one stay
/// dead: their requests fail. So monitor a handle that you keep, and ask the
/// root for the new one (`get_atom`) when its down message comes. The pause
/// before a restart is 100 ms, grows to 5 s if a child dies again and again,
/// and is short again after a minute without a defect.
using root_actor = actor_interface<
  // Opens a stream. If the stream is open with the same options, replies with
  // that actor. The reply comes when Redis has answered what the stream keeps,
  // or cannot be reached. Errors: `invalid_option`, `invalid_name`,
  // `already_open` (with other options on this node), `retention_conflict`
  // (with another retention than the one that Redis stores), `closed`.
  caf::result<stream_actor>(caf::open_atom, stream_options),
  // Opens a reader. If a reader with that name is open with the same options,
  // replies with that actor; a reader without a name is always a new one. A
  // predicate is the same if it is a copy; options with a predicate that come
  // from another node are refused with `invalid_option`.
  // Errors: those of a stream, and `invalid_pattern`.
  caf::result<reader_actor>(caf::open_atom, reader_options),
  // Opens this node's member of a sink. If it is open with the same options,
  // replies with that actor. Errors: those of a reader.
  caf::result<sink_actor>(caf::open_atom, sink_options),
  // Finds an open stream, reader or sink by its name. If it died of a defect,
  // the reply comes when it has been started again. Error: `closed`, if it is
  // not open on this node, or the system closes.
  caf::result<stream_actor>(caf::get_atom, atom::stream, std::string),
  caf::result<reader_actor>(caf::get_atom, atom::reader, std::string),
  caf::result<sink_actor>(caf::get_atom, atom::sink, std::string),
  // Sends PING, and replies with the time that the answer took. Until the first
  // answer it waits at most `connect_timeout`. Errors: connection errors.
  caf::result<caf::timespan>(caf::ping_atom),
  // Replies with the names of all that is open.
  caf::result<system_info>(atom::info),
  // Drains and closes all sinks, readers and streams, then the connections,
  // then terminates. The reply comes when that is done; sinks wait at most
  // their `drain_timeout`. A second close gets the same reply.
  caf::result<void>(caf::close_atom)>;

/// Spawns the root. The caller owns it: the root runs until it gets
/// `close_atom` or an exit message. Redis need not be reachable yet.
/// Error: `invalid_option`, `invalid_endpoint`.
[[nodiscard]] caf::expected<root_actor> spawn_root(caf::actor_system& sys,
                                                   redis_options options);

} // namespace pulse
