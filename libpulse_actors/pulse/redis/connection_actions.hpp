#pragma once

#include "pulse/core/log.hpp"
#include "pulse/core/outcome.hpp"
#include "pulse/resp/command_batch.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pulse::redis {

// What the owner of a socket must perform, in order.

/// Open a socket, then call on_connecting() or on_connect_failed().
struct connect_action {};

/// Write the commands to the socket.
struct send_action {
  command_ptr commands;
};

/// Write these bytes: a handshake, which contains the password, or a script.
struct send_text_action {
  std::string bytes;
};

/// Close the socket, or stop the attempt to open one. Report no more events of
/// that socket.
struct close_action {
  /// Whether to resolve the address again before the next attempt, because the
  /// last address led to the wrong server.
  bool elsewhere = false;
};

/// The replies to a batch are complete.
struct answer_action {
  uint64_t token = 0;
  reply_ptr answer;
};

/// A batch failed.
struct fail_action {
  uint64_t token = 0;
  failure why;
};

/// A line for the log.
struct log_action {
  log_level level = log_level::info;
  std::string line;
};

using action
  = std::variant<connect_action, send_action, send_text_action, close_action,
                 answer_action, fail_action, log_action>;
using actions = std::vector<action>;

} // namespace pulse::redis
