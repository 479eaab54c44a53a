#pragma once

#include "pulse/core/outcome.hpp"

#include "common/process/unique_fd.hpp"
#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace pulse::apps {

/// A program of ours that runs beside this process, in a process group of its
/// own, its output in pipes. Killed with this object, and with the thread that
/// started it. Not thread-safe.
class child_process {
public:
  /// Error: `errc::handler_failed`.
  static outcome<child_process> start(const std::vector<std::string>& argv,
                                      const std::vector<std::string>& env = {});

  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process();

  /// Sends a signal; nothing happens if it has ended.
  void signal(int number) const;

  /// Waits until it ends, at most `timeout`.
  /// @returns its exit status, 128 + signal, or -1 if it still runs.
  int wait(std::chrono::milliseconds timeout);

  /// Our ends of its pipes.
  [[nodiscard]] int input() const {
    return input_.get();
  }
  [[nodiscard]] int output() const {
    return output_.get();
  }
  [[nodiscard]] int errors() const {
    return errors_.get();
  }

  /// Closes its standard input.
  void close_input() {
    input_.reset();
  }

  [[nodiscard]] pid_t pid() const {
    return pid_;
  }

private:
  child_process() = default;

  pid_t pid_ = 0;
  /// What wait() found; -1: nothing yet.
  int status_ = -1;
  unique_fd input_;
  unique_fd output_;
  unique_fd errors_;
};

/// Path of a program in the same folder as this one's.
std::string sibling_program(const std::string& name);

} // namespace pulse::apps
