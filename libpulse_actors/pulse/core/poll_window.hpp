#pragma once

#include <algorithm>
#include <chrono>

namespace pulse {

/// Says how long a thread that has nothing to do looks for work before it goes
/// to sleep. To be woken costs such a thread (and the thread that wakes it) 10
/// to 40 µs, so looking pays off if work comes soon, and only then.
///
/// The time adapts to what happened last: it doubles when work came within the
/// maximum, and shrinks to a quarter when it came later. So a thread that works
/// all the time hardly sleeps, and one that works now and then hardly looks.
class poll_window {
public:
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::steady_clock::time_point;

  /// Less is not worth a look.
  static constexpr duration shortest = std::chrono::microseconds{10};

  /// @param longest Less than `shortest`: never looks.
  explicit poll_window(duration longest) noexcept : longest_(longest) {
    // nop
  }

  /// Work came.
  void came(time_point now) noexcept {
    if (longest_ < shortest)
      return;
    if (now - idle_since_ > longest_)
      window_ /= 4;
    else
      window_ = std::clamp(window_ * 2, shortest, longest_);
    if (window_ < shortest)
      window_ = duration{0};
  }

  /// The work is done.
  void done(time_point now) noexcept {
    idle_since_ = now;
  }

  /// @returns whether to look for work, and not to sleep.
  [[nodiscard]] bool looks(time_point now) const noexcept {
    return now - idle_since_ < window_;
  }

private:
  duration longest_;
  duration window_{0};
  time_point idle_since_;
};

} // namespace pulse
