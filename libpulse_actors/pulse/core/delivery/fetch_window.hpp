#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace pulse {

/// How many events a sink should hold: enough to keep its subscribers busy
/// until the next read comes in, not more, so that other nodes get their share
/// of slow work.
class fetch_window {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit fetch_window(size_t max_in_flight) noexcept : max_(max_in_flight) {
    // nop
  }

  /// `settled` events were finished since the last call.
  void settled(size_t n, time_point now) noexcept {
    sum_ += n;
    if (now - since_ < period)
      return;
    // A pause makes it forget: what was fast may be slow by now.
    recent_ = now - since_ < 10 * period ? sum_ : 0;
    sum_ = 0;
    since_ = now;
  }

  /// @param capacity Sum of the subscribers' credit.
  [[nodiscard]] size_t size(size_t capacity) const noexcept {
    return std::min(max_, std::max(2 * capacity, recent_));
  }

private:
  // About the time from asking Redis for more to having it, under load.
  static constexpr std::chrono::milliseconds period{20};

  size_t max_;
  size_t sum_ = 0;
  size_t recent_ = 0;
  time_point since_{};
};

} // namespace pulse
