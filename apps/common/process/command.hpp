#pragma once

#include "common/process/signals.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::apps {

/// One run of a command.
struct command_call {
  /// Program (searched in PATH) and arguments.
  std::vector<std::string> argv;
  /// "NAME=value", on top of this process' environment.
  std::vector<std::string> environment;
  /// What it reads on standard input.
  std::string_view input;
  /// When it is killed.
  std::chrono::milliseconds timeout{30'000};
  /// Kills it when raised; may be null.
  const stop_flag* stop = nullptr;
  /// Whether its standard output goes to our standard error.
  bool output_to_stderr = false;
};

/// How a command ended.
struct command_end {
  enum class kind : uint8_t {
    /// `code`: exit status.
    exited,
    /// `code`: signal that ended it.
    signaled,
    /// Killed after the timeout.
    timed_out,
    /// Killed because the flag was raised.
    stopped,
    /// `code`: errno.
    not_started,
  };

  kind how = kind::not_started;
  int code = 0;

  [[nodiscard]] bool ok() const noexcept {
    return how == kind::exited && code == 0;
  }
};

/// Runs a command in a process group of its own, which is killed as a whole.
/// Blocks. Its signals are the defaults. A command need not read its input.
command_end run(const command_call& call);

/// Kills all commands that run, with their groups, and starts no more: for a
/// process that ends. Thread-safe.
void kill_running_commands();

/// "exited with status 3", "was ended by signal 9 (Killed)" …
std::string to_string(const command_end& x);

} // namespace pulse::apps
