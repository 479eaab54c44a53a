#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pulse {

/// Decides when a stream actor that adds events shall trim its stream: at the
/// first add; then when a hundredth of `max_len` (at least 256 events) was
/// added, or when there were adds and one second has passed since the last
/// trim. Only one trim runs at a time.
class trim_schedule {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// @param max_len Number of events to keep; 0: added() never asks for a trim.
  explicit trim_schedule(uint64_t max_len = 0) noexcept;

  /// Changes the number of events to keep.
  void set_max_len(uint64_t max_len) noexcept;

  /// Counts events that were added. @returns whether to trim now. If true, the
  /// caller must call done() when the trim has ended.
  bool added(uint64_t events, time_point now) noexcept;

  /// Asks for a trim without an add: because time passed, or the stream is
  /// full.
  /// @returns whether to trim now, as added().
  bool wanted(time_point now) noexcept;

  /// Call this after a trim, whether it succeeded or failed.
  void done() noexcept {
    running_ = false;
  }

  /// Call this with the length of the stream after a trim. @returns whether to
  /// warn: the stream has reached twice its limit, or has doubled since the
  /// last warning.
  bool alarming(uint64_t length) noexcept;

private:
  uint64_t max_len_;
  uint64_t step_;
  uint64_t pending_ = 0;
  uint64_t alarm_at_;
  bool running_ = false;
  std::optional<time_point> last_;
};

} // namespace pulse
