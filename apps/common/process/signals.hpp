#pragma once

#include "common/process/unique_fd.hpp"

#include <chrono>
#include <functional>

namespace pulse::apps {

/// A flag that threads can wait for with poll(): once raised, it stays so.
class stop_flag {
public:
  stop_flag();

  void raise() noexcept;

  /// Readable once the flag is raised.
  [[nodiscard]] int fd() const noexcept {
    return fd_.get();
  }

private:
  unique_fd fd_;
};

/// Takes SIGINT and SIGTERM (and ignores SIGPIPE) for the whole process. To be
/// made in main() before any thread exists: they inherit what it blocks.
class stop_signals {
public:
  stop_signals();

  /// Waits for a signal, until `until` is raised, or for `timeout` (negative:
  /// for ever).
  /// @returns the signal, or 0.
  int wait(const stop_flag* until = nullptr,
           std::chrono::milliseconds timeout = std::chrono::milliseconds{-1});

  /// From now on the next signal ends the process at once, with 128 + signal,
  /// after `last_act`. To be called after the first one, before the orderly
  /// end begins.
  void exit_on_next(std::function<void()> last_act);

private:
  unique_fd fd_;
};

} // namespace pulse::apps
