#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace pulse {

/// Decides when to report something that happens again and again: at once for
/// the first time, then once per minute with the number since the last report.
class repeat_counter {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Counts `n` events. @returns the number to report now, if any.
  std::optional<uint64_t> add(uint64_t n, time_point now) noexcept;

  /// Call this when it has ended. @returns the number of all events since it
  /// began; 0 if there were none. The next event is reported at once.
  uint64_t end() noexcept;

private:
  uint64_t total_ = 0;
  uint64_t unreported_ = 0;
  std::optional<time_point> reported_;
};

} // namespace pulse
