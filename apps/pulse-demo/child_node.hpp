#pragma once

#include "common/process/child_process.hpp"
#include "pulse-demo/tally.hpp"

#include <functional>
#include <thread>

namespace pulse::apps {

/// A pulse-node in a process of its own. Its JSON lines are counted in the
/// tally, and its log lines go to a function.
class child_node {
public:
  /// Where the node's log goes, line by line, from another thread.
  using log_lines = std::function<void(const std::string&)>;

  /// @param index Which node it is, from 0; its name is "node-<index + 1>".
  static outcome<std::unique_ptr<child_node>>
  start(size_t index, const std::string& config, const std::string& redis_url,
        tally& totals, log_lines log);

  /// Kills it if it still runs.
  ~child_node();

  [[nodiscard]] const std::string& name() const {
    return name_;
  }

  [[nodiscard]] pid_t pid() const {
    return process_.pid();
  }

  void signal(int number) {
    process_.signal(number);
  }

  /// As child_process::wait().
  int wait(std::chrono::milliseconds timeout) {
    return process_.wait(timeout);
  }

  /// Waits until all that an ended node wrote is in the tally.
  void drain();

private:
  child_node(size_t index, child_process process, tally& totals, log_lines log);

  std::string name_;
  child_process process_;
  std::thread events_;
  std::thread logs_;
};

} // namespace pulse::apps
