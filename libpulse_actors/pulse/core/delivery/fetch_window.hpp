#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace pulse {

/// Decides how many events a sink should hold. They must be enough to keep the
/// subscribers busy until the next read returns. They should not be more, so
/// that other nodes get a share of slow work.
class fetch_window {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit fetch_window(size_t max_in_flight) noexcept : max_(max_in_flight) {
    // nop
  }

  /// Notes that `n` events were acknowledged since the last call.
  void settled(size_t n, time_point now) noexcept {
    sum_ += n;
    if (now - since_ < period)
      return;
    // After a pause, the last rate says nothing about the events that come now.
    recent_ = now - since_ < 10 * period ? sum_ : 0;
    sum_ = 0;
    since_ = now;
  }

  /// @param capacity Sum of the subscribers' credit.
  [[nodiscard]] size_t size(size_t capacity) const noexcept {
    return std::min(max_, std::max(2 * capacity, recent_));
  }

private:
  // About the time that a read takes under load.
  static constexpr std::chrono::milliseconds period{20};

  size_t max_;
  size_t sum_ = 0;
  size_t recent_ = 0;
  time_point since_{};
};

} // namespace pulse
