#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pulse {

/// Decides when a stream that adds events shall trim: with the first add, then
/// after a hundredth of its limit (at least 256 events), or a second after the
/// last time if there were adds. One at a time.
class trim_schedule {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// @param max_len Entries to keep; 0: never trims.
  explicit trim_schedule(uint64_t max_len) noexcept;

  /// Counts events that were added. @returns whether to trim now; the caller
  /// must then call done() when that is over.
  bool added(uint64_t events, time_point now) noexcept;

  /// Trims though nothing was added: time passed, or the stream is full.
  /// @returns as added().
  bool wanted(time_point now) noexcept;

  /// To be called after a trim, successful or not.
  void done() noexcept {
    running_ = false;
  }

  /// To be called with the length that a trim left. @returns whether the
  /// stream has grown to twice its limit, or has doubled since that was told.
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
