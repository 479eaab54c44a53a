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
using root_actor = caf::typed_actor<
  // Opens a stream. If the stream is open with the same options, replies with
  // that actor. Errors: `invalid_option`, `invalid_name`, `already_open` (with
  // other options), `closed`.
  caf::replies_to<caf::open_atom, stream_options>::with<stream_actor>,
  // Opens a reader. If a reader with that name is open with the same options,
  // replies with that actor; a reader without a name is always a new one.
  // Errors: those of a stream, and `invalid_pattern`.
  caf::replies_to<caf::open_atom, reader_options>::with<reader_actor>,
  // Opens this node's member of a sink. If it is open with the same options,
  // replies with that actor. Errors: those of a reader.
  caf::replies_to<caf::open_atom, sink_options>::with<sink_actor>,
  // Finds an open stream, reader or sink by its name. Error: `closed`, if it is
  // not open on this node.
  caf::replies_to<caf::get_atom, atom::stream, std::string>::with<stream_actor>,
  caf::replies_to<caf::get_atom, atom::reader, std::string>::with<reader_actor>,
  caf::replies_to<caf::get_atom, atom::sink, std::string>::with<sink_actor>,
  // Sends PING to Redis, and replies with the time that the answer took.
  // Errors: connection errors.
  caf::replies_to<caf::ping_atom>::with<caf::timespan>,
  // Replies with the names of all that is open.
  caf::replies_to<atom::info>::with<system_info>,
  // Drains and closes all sinks, readers and streams, then the connections,
  // then terminates. The reply comes when that is done; sinks wait at most
  // their `drain_timeout`. A second close gets the same reply.
  caf::replies_to<caf::close_atom>::with<void>>;

/// Spawns the root. The caller owns it: the root runs until it gets
/// `close_atom` or an exit message. Redis need not be reachable yet.
/// Error: `invalid_option`, `invalid_endpoint`.
caf::expected<root_actor> spawn_root(caf::actor_system& sys,
                                     redis_options options);

} // namespace pulse
