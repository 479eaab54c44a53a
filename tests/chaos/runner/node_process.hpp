#pragma once

#include "common/process/unique_fd.hpp"
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pulse::chaos {

/// A process of a run, as its runner sees it: it is only told something when it
/// has said that it is ready. Killed with this object.
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

  /// 0: there is no process.
  [[nodiscard]] pid_t pid() const noexcept {
    return pid_;
  }

  [[nodiscard]] clock::time_point started() const noexcept {
    return started_;
  }

  /// Whether it has said that signals cannot end it any more.
  [[nodiscard]] bool is_ready();

  /// Whether it has said that its work has begun.
  [[nodiscard]] bool is_open();

  /// @pre is_ready(), or the kernel itself acts on it: SIGSTOP, SIGCONT.
  void signal(int number) const;

  /// SIGKILL, at any time. Waits for its end.
  void kill();

  /// How it ended, as of waitpid(), if it has since we looked last.
  std::optional<int> take_end();

private:
  void listen();

  pid_t pid_ = 0;
  clock::time_point started_;
  apps::unique_fd words_;
  std::string heard_;
};

} // namespace pulse::chaos
