#pragma once

#include "common/process/unique_fd.hpp"
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pulse::chaos {

/// A process of a run. The runner sends signals to it only after the process
/// has reported that it is ready. The destructor kills the process.
class node_process {
public:
  using clock = std::chrono::steady_clock;

  node_process() = default;
  node_process(node_process&& other) noexcept;
  node_process& operator=(node_process&&) = delete;
  ~node_process();

  /// Starts a program. @param log File for its standard error.
  /// @returns 0 or errno.
  int start(const std::vector<std::string>& argv, const std::string& log);

  /// @returns the process ID; 0 if there is no process.
  [[nodiscard]] pid_t pid() const noexcept {
    return pid_;
  }

  [[nodiscard]] clock::time_point started() const noexcept {
    return started_;
  }

  /// @returns whether the process has reported that it blocks signals.
  [[nodiscard]] bool is_ready();

  /// @returns whether the process has reported that its work has begun.
  [[nodiscard]] bool is_open();

  /// @pre is_ready(), unless the kernel handles the signal (SIGSTOP, SIGCONT)
  void signal(int number) const;

  /// Sends SIGKILL and waits for the end of the process. Allowed at any time.
  void kill();

  /// @returns the status from waitpid() if the process has ended since the last
  /// call.
  std::optional<int> take_end();

private:
  void listen();

  pid_t pid_ = 0;
  clock::time_point started_;
  apps::unique_fd words_;
  std::string heard_;
};

} // namespace pulse::chaos
