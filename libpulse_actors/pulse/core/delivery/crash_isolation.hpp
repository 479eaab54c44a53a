#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event.hpp"

#include <cstddef>
#include <deque>
#include <optional>

namespace pulse {

/// Keeps crash candidates apart that one more crash would make dead letters: of
/// these, one at a time is at work. If the node dies then, that one is to
/// blame, and no other event is blamed together with it.
class crash_isolation {
public:
  /// @param max_crashes At how many crashes an event is given up; 0: never.
  explicit crash_isolation(uint32_t max_crashes) noexcept
    : max_crashes_(max_crashes) {
    // nop
  }

  /// @returns whether a candidate with these counts must be isolated.
  [[nodiscard]] bool applies_to(const delivery_counts& x) const noexcept {
    return max_crashes_ > 0 && x.crashes + 1 >= max_crashes_;
  }

  /// A candidate that must be isolated wants to go to work.
  /// @returns whether it may, since it has the turn; otherwise it waits here.
  bool enter(const delivery_ticket& x);

  /// The candidate that has the turn, or had it last.
  [[nodiscard]] const delivery_ticket& current() const noexcept {
    return current_;
  }

  /// The current candidate is decided: the turn goes to the first one that
  /// waits, if `still_waits` says so of it; others are dropped.
  /// @returns who has the turn now.
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

  /// How many wait, those included that the ledger dropped meanwhile.
  [[nodiscard]] size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  uint32_t max_crashes_;
  delivery_ticket current_;
  std::deque<delivery_ticket> waiting_;
};

} // namespace pulse
