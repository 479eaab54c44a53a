#pragma once

#include <caf/actor_clock.hpp>

namespace pulse::internal {

/// The time at which an actor handles its current message. The clock is read
/// once per message, when the first part of the actor asks: a sink asks some
/// twenty times for each reply of a worker, which cost a tenth of its
/// throughput.
template <class Self>
class turn_clock {
public:
  using time_point = caf::actor_clock::time_point;

  /// @param self The actor; must outlive the clock.
  explicit turn_clock(Self self) noexcept : self_(self) {
    // nop
  }

  [[nodiscard]] time_point now() const {
    if (now_ == unknown)
      now_ = self_->clock().now();
    return now_;
  }

  /// Call this when the actor has handled a message in which it asked for the
  /// time.
  void end_turn() noexcept {
    now_ = unknown;
  }

private:
  static constexpr time_point unknown = time_point::min();

  Self self_;
  mutable time_point now_ = unknown;
};

} // namespace pulse::internal
