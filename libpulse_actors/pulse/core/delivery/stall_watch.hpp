#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/options.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace pulse {

/// Finds out how long a node stood still: how late the timer of an actor is,
/// because the process was stopped, or how long workers waited for a thread,
/// because all threads of CAF's scheduler were busy. Says when to report that.
class stall_watch {
public:
  /// A timer of a busy machine is often that late.
  static constexpr milliseconds tolerance{20};

  /// Only longer stalls are reported, and one report follows another after this
  /// time at the earliest.
  static constexpr milliseconds worth_a_report{1'000};
  static constexpr milliseconds between_reports{60'000};

  struct stall {
    /// How late the timer is; 0: it is in time.
    milliseconds late{0};
    /// How long workers could not work. Not less than `late`.
    milliseconds stood_still{0};
  };

  /// Call this for each tick.
  /// @param due When the tick should have come.
  /// @param waited How long workers have waited for threads since the start, if
  /// the timer does not depend on these threads. Without a value that does not
  /// matter, since no worker has work.
  /// @returns what happened since the last tick.
  stall on_tick(delivery_time due, delivery_time now,
                std::optional<milliseconds> waited = std::nullopt) {
    stall result;
    const auto since = std::max(due, std::exchange(last_tick_, now));
    if (const auto late = std::chrono::duration_cast<milliseconds>(now - since);
        late > tolerance)
      result.late = late;
    result.stood_still = result.late;
    if (waited && waited_)
      result.stood_still = std::max(result.late, *waited - *waited_);
    waited_ = waited;
    current_ = result.stood_still.count() > 0 ? current_ + result.stood_still
                                              : milliseconds{0};
    total_ += result.stood_still;
    longest_ = std::max(longest_, current_);
    return result;
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
  delivery_time last_tick_{delivery_time::min()};
  std::optional<milliseconds> waited_;
  milliseconds total_{0};
  /// The stall that the last tick found, with those of the ticks before it.
  milliseconds current_{0};
  milliseconds longest_{0};
  std::optional<delivery_time> last_report_;
};

} // namespace pulse
