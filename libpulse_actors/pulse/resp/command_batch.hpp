#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace pulse {

namespace resp {
struct reply;
struct script;
} // namespace resp

/// Commands for a connection: one formatted buffer. Node-local.
struct command_batch {
  /// The commands in RESP, see resp::command_writer.
  std::string bytes;
  /// Number of commands, and so of replies.
  uint32_t count = 0;
  /// Deadline, from the arrival at the connection to the last reply; 0: the
  /// connection's `command_timeout`.
  std::chrono::milliseconds timeout{0};
  /// May be sent again if the connection died before all replies came in.
  bool repeatable = false;
  /// The script that the batch calls by EVALSHA, for NOSCRIPT. @pre count == 1
  const resp::script* lua = nullptr;
};

using command_ptr = std::shared_ptr<const command_batch>;
using reply_ptr = std::shared_ptr<resp::reply>;

/// State and counters of a connection.
struct connection_info {
  /// "idle", "dialling", "handshaking", "ready", "waiting" or "closed".
  std::string state;
  /// CLIENT ID of the current connection; 0 if not ready, or not permitted.
  int64_t client_id = 0;
  uint64_t connects = 0;
  uint64_t failures = 0;
  /// Commands.
  uint64_t sent = 0;
  uint64_t replies = 0;
  uint64_t queued = 0;
};

} // namespace pulse
