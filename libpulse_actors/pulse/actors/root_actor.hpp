#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/actors/reader_actor.hpp"
#include "pulse/actors/sink_actor.hpp"
#include "pulse/actors/stream_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/typed_actor.hpp>

#include <string>

// Code that sends these messages includes type_ids.hpp as well; all.hpp and
// system.hpp bring it.

namespace pulse {

/// The root: one per actor system and Redis endpoint. Opens streams, readers
/// and sinks, or finds what is open, supervises them, and is what a node
/// publishes through the middleman.
using root_actor = caf::typed_actor<
  // Opens a stream, or finds it: the same name with the same options gives the
  // same actor. Errors: `invalid_option`, `invalid_name`, `already_open` (with
  // other options), `closed`.
  caf::replies_to<caf::open_atom, stream_options>::with<stream_actor>,
  // Opens a reader, or finds the one of that name; anonymous ones are always
  // new. Errors: as above, `invalid_pattern`.
  caf::replies_to<caf::open_atom, reader_options>::with<reader_actor>,
  // Opens this node's member of a sink, or finds it. Errors: as above.
  caf::replies_to<caf::open_atom, sink_options>::with<sink_actor>,
  // Finds what is open by name. Error: `closed`.
  caf::replies_to<caf::get_atom, atom::stream, std::string>::with<stream_actor>,
  caf::replies_to<caf::get_atom, atom::reader, std::string>::with<reader_actor>,
  caf::replies_to<caf::get_atom, atom::sink, std::string>::with<sink_actor>,
  // Round trip to Redis: answers how long it took. Errors: connection errors.
  caf::replies_to<caf::ping_atom>::with<caf::timespan>,
  caf::replies_to<atom::info>::with<system_info>,
  // Drains and closes sinks, readers, streams, then connections, then stops.
  // Answers when done; each child has its own deadline. A second close answers
  // the same.
  caf::replies_to<caf::close_atom>::with<void>>;

/// Spawns the root. Redis need not be there yet.
/// Error: `invalid_option`, `invalid_endpoint`.
caf::expected<root_actor> spawn_root(caf::actor_system& sys,
                                     redis_options options);

} // namespace pulse
