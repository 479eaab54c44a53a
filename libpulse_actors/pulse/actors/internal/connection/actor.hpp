#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/options.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace pulse {

/// One connection to Redis: a broker that pipelines commands, matches replies
/// in order and reconnects by itself. For actors of the same node.
///
/// It always answers, at the latest at the command's deadline, so requests to
/// it need no timeout of their own (`caf::infinite`).
///
/// Its owner must close it, best in the destructor of the owner's state: an
/// open socket keeps the actor alive, and an actor system waits for its actors.
/// One that was forgotten closes its socket after a minute without commands,
/// and ends. A socket that is closed for that reason comes back with the next
/// command.
using connection_actor = caf::typed_actor<
  // Runs the batch; answers when the last of its replies is in. Error replies
  // of Redis are part of the answer, not an error. Errors:
  // - `timed_out`: the deadline passed. Not sent if the text says so; else the
  //   outcome is unknown, and the connection is replaced.
  // - `connection_lost`: sent, outcome unknown, and not repeatable, or not
  //   repeated before its deadline.
  // - `connect_failed`: not sent, no connection came about before the deadline;
  //   the text has the last reason.
  // - `auth_failed`, `permission_denied`, `protocol_error`, `redis_error`: what
  //   Redis said in the handshake, and asking again would not help. Comes at
  //   once, also for commands until the next attempt. `protocol_error` is also
  //   the error of the one command whose reply was broken.
  // - `tls_failed`: the same, for certificates.
  // - `overloaded`: not sent, too much is queued.
  // - `closed`.
  caf::replies_to<atom::run, command_ptr>::with<reply_ptr>,
  // Ends a blocking read that this connection has under way, by CLIENT UNBLOCK
  // on `via`: it then answers nil. Nothing happens if none is blocked at that
  // moment (ask again). No reply.
  caf::reacts_to<atom::unblock>,
  caf::replies_to<atom::info>::with<connection_info>,
  // Fails what waits with `closed`, closes the socket and stops. No reply.
  caf::reacts_to<caf::close_atom>>;

/// What a connection is for.
struct connection_role {
  /// For CLIENT SETNAME ("<client_name>:<role>") and the log.
  std::string name = "commands";
  /// Where `unblock` runs CLIENT UNBLOCK: a connection that is not blocked
  /// itself. Only blocking connections need it.
  connection_actor unblock_via;
};

/// Spawns a connection. It dials at the first command, never blocks a worker
/// of CAF or the multiplexer, and keeps trying (jittered backoff) while
/// commands wait.
/// @param options Must be valid, see validate().
/// Error: `errc::invalid_endpoint`.
caf::expected<connection_actor> spawn_connection(caf::actor_system& sys,
                                                 const redis_options& options,
                                                 connection_role role = {});

/// Where actors get their connections from: real ones from the root, fakes in
/// tests.
struct connection_source {
  /// The pipelined connection that the actors of an endpoint share.
  connection_actor commands;
  /// Makes a connection for one blocking reader, named after its purpose. The
  /// caller owns it and must close it.
  std::function<connection_actor(const std::string& purpose)> open_blocking;
};

} // namespace pulse
