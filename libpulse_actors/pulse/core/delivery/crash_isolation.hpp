#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event.hpp"

#include <cstddef>
#include <deque>
#include <optional>

namespace pulse {

/// Isolates crash candidates that would become dead letters after one more
/// crash: only one of them at a time is given to a worker. If the node dies
/// then, this event is blamed, and no other event is blamed together with it.
class crash_isolation {
public:
  /// @param max_crashes After how many crashes an event becomes a dead letter;
  /// 0: never.
  explicit crash_isolation(uint32_t max_crashes) noexcept
    : max_crashes_(max_crashes) {
    // nop
  }

  /// @returns whether a candidate with these counts must be isolated.
  [[nodiscard]] bool applies_to(const delivery_counts& x) const noexcept {
    return max_crashes_ > 0 && x.crashes + 1 >= max_crashes_;
  }

  /// Asks whether a candidate that must be isolated may be given to a worker.
  /// @returns whether it has the turn; otherwise it waits here.
  bool enter(const delivery_ticket& x);

  /// @returns the candidate that has the turn, or that had the last turn.
  [[nodiscard]] const delivery_ticket& current() const noexcept {
    return current_;
  }

  /// Ends the turn of the current candidate, whose outcome is decided. The turn
  /// goes to the first waiting candidate for which `still_waits` is true; those
  /// before it are dropped.
  /// @returns the candidate that has the turn now.
  template <class Predicate>
  std::optional<delivery_ticket> advance(Predicate still_waits) {
    current_ = {};
    while (!waiting_.empty()) {
      const auto x = waiting_.front();
      waiting_.pop_front();
      if (still_waits(x)) {
        current_ = x;
        return x;
      }
    }
    return std::nullopt;
  }

  /// @returns how many candidates wait, including those that the ledger has
  /// dropped meanwhile.
  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  uint32_t max_crashes_;
  delivery_ticket current_;
  std::deque<delivery_ticket> waiting_;
};

} // namespace pulse
