#pragma once

#include "pulse/core/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace pulse {

/// The ID that Redis gave to an event: "<milliseconds>-<sequence>". IDs grow
/// strictly within a stream. The milliseconds are the server's wall clock,
/// except after that clock went back: Redis then keeps the highest milliseconds
/// so far. So an ID tells the order of events, and the time of their arrival
/// only usually.
struct event_id {
  uint64_t ms = 0;
  uint64_t seq = 0;

  /// Below every event of every stream.
  static constexpr event_id min() noexcept {
    return {0, 0};
  }

  /// At or above every event of every stream.
  static constexpr event_id max() noexcept {
    return {std::numeric_limits<uint64_t>::max(),
            std::numeric_limits<uint64_t>::max()};
  }

  /// @returns the highest ID below this one; for `min()`: `min()`.
  [[nodiscard]] event_id previous() const noexcept;

  /// @returns the lowest ID above this one; for `max()`: `max()`.
  [[nodiscard]] event_id next() const noexcept;

  friend constexpr bool operator==(event_id a, event_id b) noexcept {
    return a.ms == b.ms && a.seq == b.seq;
  }
  friend constexpr bool operator!=(event_id a, event_id b) noexcept {
    return !(a == b);
  }
  friend constexpr bool operator<(event_id a, event_id b) noexcept {
    return a.ms != b.ms ? a.ms < b.ms : a.seq < b.seq;
  }
  friend constexpr bool operator>(event_id a, event_id b) noexcept {
    return b < a;
  }
  friend constexpr bool operator<=(event_id a, event_id b) noexcept {
    return !(b < a);
  }
  friend constexpr bool operator>=(event_id a, event_id b) noexcept {
    return !(a < b);
  }
};

/// @returns "<milliseconds>-<sequence>", e.g. "1700000000000-3".
std::string to_string(event_id x);

/// Appends `to_string(x)` to `out` without creating a temporary string.
void append_to(std::string& out, event_id x);

/// Parses "<milliseconds>-<sequence>". A missing sequence counts as 0, as in
/// Redis.
/// Error: `errc::invalid_event_id`; its text quotes `text`.
outcome<event_id> parse_event_id(std::string_view text);

} // namespace pulse

template <>
struct std::hash<pulse::event_id> {
  size_t operator()(pulse::event_id x) const noexcept {
    return std::hash<uint64_t>{}(x.ms * 0x9E3779B97F4A7C15ull ^ x.seq);
  }
};
