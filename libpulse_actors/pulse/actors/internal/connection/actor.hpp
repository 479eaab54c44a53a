#pragma once

#include "pulse/actors/internal/caf/io_host.hpp"
#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/options.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace pulse {

/// One connection to Redis: an actor of an io_host that sends commands without
/// waiting for earlier replies, assigns replies to commands in order, and
/// reconnects by itself. Only actors of the same node can use it.
///
/// The connection replies to every command, at the latest at its deadline, so
/// requests to it need no timeout of their own (`caf::infinite`).
///
/// The owner should close the connection, best in the destructor of the owner's
/// state: an actor system waits for its actors, and a timer keeps the actor
/// alive while its socket is open. After one minute without commands the
/// connection closes its socket by itself, and terminates if it has no
/// references left. The next command opens the socket again.
using connection_actor = actor_interface<
  // Sends the commands of the batch; replies when the last reply of Redis has
  // arrived. Error replies of Redis are part of the reply, not an error.
  // Errors:
  // - `timed_out`: the deadline passed. Unless the text says that the commands
  //   were not sent, the outcome is unknown, and the connection is replaced.
  // - `connection_lost`: the commands were sent and the outcome is unknown.
  //   They are not repeatable, or were not repeated before their deadline.
  // - `connect_failed`: the commands were not sent, because there was no
  //   connection before the deadline; the text has the last reason.
  // - `auth_failed`, `permission_denied`, `protocol_error`, `redis_error`:
  //   Redis refused the handshake, and another attempt would not help. All
  //   commands fail at once until the next attempt. `protocol_error` is also
  //   the error of a single command whose reply was broken.
  // - `tls_failed`: the same, because of certificates.
  // - `overloaded`: the commands were not sent, because too many are queued.
  // - `closed`.
  caf::result<reply_ptr>(atom::run, command_ptr),
  // Ends the blocking read that this connection has under way, by a CLIENT
  // UNBLOCK on `connection_role::unblock_via`; the read then replies nil. Has
  // no effect if no read is blocked at that moment (send it again). No reply.
  caf::result<void>(atom::unblock), caf::result<connection_info>(atom::info),
  // Fails all waiting commands with `closed`, closes the socket and terminates.
  // No reply.
  caf::result<void>(caf::close_atom)>;

/// What a connection is for.
struct connection_role {
  /// Part of the name in CLIENT LIST ("<client_name>:<role>") and in the log.
  std::string name = "commands";
  /// The connection on which `unblock` runs CLIENT UNBLOCK; it must not be
  /// blocked itself. Only blocking connections need it.
  connection_actor unblock_via;
  /// Where the connection runs; null: in a host of its own.
  internal::io_host_ptr host{};
};

/// Spawns a connection, which the caller owns and must close. It connects when
/// it gets the first command. It blocks no thread. While commands wait it tries
/// again and again to connect, with increasing pauses.
/// @param options Must be valid, see validate().
/// Error: `errc::invalid_endpoint`; `errc::connect_failed` if there is no host
/// for it and none can be started.
caf::expected<connection_actor> spawn_connection(caf::actor_system& sys,
                                                 const redis_options& options,
                                                 connection_role role = {});

/// @returns how long the host of an endpoint looks for work.
inline std::chrono::microseconds busy_poll_of(const redis_options& options) {
  return std::chrono::microseconds{options.busy_poll_us};
}

/// The connections that actors use: real ones from the root, fakes in tests.
struct connection_source {
  /// The pipelined connection that the actors of an endpoint share.
  connection_actor commands;
  /// Creates a connection for one purpose, for instance for one blocking
  /// reader. The caller owns the connection and must close it.
  std::function<connection_actor(const std::string& purpose)> open_own;
  /// Where actors run that belong to these connections; null: on the scheduler.
  internal::io_host_ptr host{};
};

} // namespace pulse
