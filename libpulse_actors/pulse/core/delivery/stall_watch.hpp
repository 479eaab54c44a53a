#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/options.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace pulse {

/// Finds out how long a node stood still, from how late the timer of an actor
/// is: its process was stopped, or all threads of CAF's scheduler were busy.
/// Says when to report that.
class stall_watch {
public:
  /// A timer of a busy machine is often that late.
  static constexpr milliseconds tolerance{20};

  /// Only longer stalls are reported, and one report follows another after this
  /// time at the earliest.
  static constexpr milliseconds worth_a_report{1'000};
  static constexpr milliseconds between_reports{60'000};

  /// Call this for each tick.
  /// @param due When the tick should have come.
  /// @returns how long the node stood still before the tick; 0: not at all.
  milliseconds on_tick(delivery_time due, delivery_time now) {
    const auto late = std::chrono::duration_cast<milliseconds>(now - due);
    if (late <= tolerance)
      return milliseconds{0};
    total_ += late;
    longest_ = std::max(longest_, late);
    return late;
  }

  /// @returns the longest stall since the last report, if it is to be reported
  /// now.
  std::optional<milliseconds> take_report(delivery_time now) {
    if (longest_ < worth_a_report
        || (last_report_ && now - *last_report_ < between_reports))
      return std::nullopt;
    last_report_ = now;
    const auto result = longest_;
    longest_ = milliseconds{0};
    return result;
  }

  /// @returns how long the node stood still altogether.
  [[nodiscard]] milliseconds total() const noexcept {
    return total_;
  }

private:
  milliseconds total_{0};
  milliseconds longest_{0};
  std::optional<delivery_time> last_report_;
};

} // namespace pulse
