#pragma once

#include "pulse/actors/internal/caf/messaging.hpp"

#include <caf/actor_clock.hpp>
#include <caf/type_id.hpp>

#include <algorithm>
#include <deque>
#include <utility>

namespace pulse::internal {

/// Wakes one actor at the times at which it has something to do: the actor
/// receives `caf::tick_atom`, does what is due, and arms the timer for the next
/// time.
///
/// CAF 0.17.6 cannot cancel a delayed message. So the timer remembers which
/// ticks are under way, and requests one only if none of them comes as early.
/// There is mostly one tick under way, and none while nothing waits.
template <class Self>
class tick_timer {
public:
  using time_point = caf::actor_clock::time_point;
  using duration = time_point::duration;

  /// @param self The actor, which handles `caf::tick_atom`; must outlive the
  /// timer.
  /// @param slack How much later than wanted a tick may come, if one is under
  /// way anyway.
  explicit tick_timer(Self self, duration slack = duration{0}) noexcept
    : self_(self), slack_(slack) {
    // nop
  }

  /// Sees to it that a tick comes at `when`, or earlier. Nothing happens if
  /// `when` is `time_point::max()`.
  void arm(time_point when) {
    if (when == time_point::max()
        || (!under_way_.empty() && under_way_.front() <= when + slack_))
      return;
    const auto now = self_->clock().now();
    when = std::max(when, now);
    under_way_.push_front(when);
    tell_later(self_, when - now, caf::tick_atom_v);
  }

  /// To be called for each `caf::tick_atom` that arrives.
  /// @returns when the tick should have come.
  time_point on_tick() noexcept {
    // Ticks arrive in the order of their times.
    const auto due = under_way_.empty() ? self_->clock().now()
                                        : under_way_.front();
    if (!under_way_.empty())
      under_way_.pop_front();
    return due;
  }

private:
  Self self_;
  duration slack_;
  // When the ticks arrive that were requested, the next one first.
  std::deque<time_point> under_way_;
};

} // namespace pulse::internal
