#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace pulse {

namespace resp {
struct reply;
struct script;
} // namespace resp

/// What the owner of a batch sees of its reply before the reply is complete.
/// The connection writes it, and the owner reads it.
struct reply_progress {
  /// Whether bytes arrive, of this reply or of one that must come before it.
  std::atomic<bool> arriving{false};
};

/// Commands for a connection, in one buffer. A batch cannot be sent to other
/// nodes.
struct command_batch {
  /// The commands in RESP, see resp::command_writer.
  std::string bytes;
  /// Number of commands, which is also the number of replies.
  uint32_t count = 0;
  /// Time from the arrival at the connection to the last reply; 0: the
  /// `command_timeout` of the connection. After that time the batch fails. That
  /// ends the connection only if nobody else waits for a reply on it. The time
  /// grows while bytes of the reply arrive, see command_queue::arrived().
  std::chrono::milliseconds timeout{0};
  /// Whether the batch may be sent again if the connection was lost before all
  /// replies arrived.
  bool repeatable = false;
  /// The script that the batch calls by EVALSHA. The connection loads the
  /// script if Redis does not know it (NOSCRIPT). @pre count == 1
  const resp::script* lua = nullptr;
  /// Null if the owner does not want to know about a reply that is under way.
  /// Otherwise the timeout also grows while bytes of an earlier reply arrive.
  std::shared_ptr<reply_progress> progress = nullptr;
};

using command_ptr = std::shared_ptr<const command_batch>;
using reply_ptr = std::shared_ptr<resp::reply>;

/// State and counters of a connection.
struct connection_info {
  /// "idle", "connecting", "handshaking", "ready", "waiting" or "closed".
  std::string state;
  /// CLIENT ID of the current connection; 0 if the connection is not ready, or
  /// if Redis does not permit CLIENT ID.
  int64_t client_id = 0;
  /// How often the connection became ready.
  uint64_t connects = 0;
  /// How often an attempt to connect failed or a connection was lost.
  uint64_t failures = 0;
  /// Number of commands that were sent.
  uint64_t sent = 0;
  /// Number of replies that arrived.
  uint64_t replies = 0;
  /// Number of commands that are queued or wait for a reply.
  uint64_t queued = 0;
};

} // namespace pulse
