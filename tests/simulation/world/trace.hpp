#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace pulse::simulation {

/// All times of a run are points of this clock; only the run moves it.
using time_point = std::chrono::steady_clock::time_point;

/// What happened in a run, step by step. It always computes a digest of the
/// steps. It keeps their text only if it is told to: a failed run is repeated
/// for that.
class trace {
public:
  /// @param now The time of the run.
  explicit trace(const time_point& now) : now_(now), start_(now) {
    // nop
  }

  /// How many of the last steps are kept as text.
  size_t keep = 0;
  /// If set, gets each step as text at once.
  std::function<void(const std::string&)> print;

  /// Adds one step.
  void note(std::string_view what, uint64_t who, std::string_view text = {});

  /// @returns a number that is equal for two runs with the same steps.
  [[nodiscard]] uint64_t digest() const noexcept {
    return digest_;
  }

  [[nodiscard]] uint64_t steps() const noexcept {
    return steps_;
  }

  [[nodiscard]] const std::deque<std::string>& last() const noexcept {
    return last_;
  }

private:
  void mix(std::string_view bytes) noexcept;
  void mix(uint64_t x) noexcept;

  const time_point& now_;
  time_point start_;
  uint64_t digest_ = 0xcbf29ce484222325;
  uint64_t steps_ = 0;
  std::deque<std::string> last_;
};

} // namespace pulse::simulation
