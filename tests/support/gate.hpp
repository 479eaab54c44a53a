#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace pulse::test {

/// Blocks the threads that wait for it until it is opened.
class gate {
public:
  void wait() {
    ++waiting_;
    while (!open_)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }

  void open() {
    open_ = true;
  }

  /// @returns how many threads have begun to wait.
  [[nodiscard]] int waiting() const {
    return waiting_;
  }

private:
  std::atomic<bool> open_{false};
  std::atomic<int> waiting_{0};
};

} // namespace pulse::test
