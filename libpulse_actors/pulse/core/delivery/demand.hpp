#pragma once

#include <algorithm>
#include <cstddef>

namespace pulse {

/// How many events a sink holds, and how many it could work on.
struct intake_facts {
  /// Sum of the credit of all subscribers.
  size_t capacity = 0;
  /// Number of streams that the sink reads.
  size_t open_streams = 0;
  /// How many events the sink should hold, see fetch_window.
  size_t window = 0;
  /// How many events the sink may hold.
  size_t max_in_flight = 0;
  /// How many events the sink holds, including those whose ack is not
  /// confirmed.
  size_t held = 0;
  /// How many of the held events wait for their next attempt.
  size_t waiting = 0;
};

/// @returns for how many events reads leave room, so that claims find room also
/// when there is a backlog.
inline size_t room_for_claims(const intake_facts& x) {
  return std::min(x.capacity, x.max_in_flight / 4);
}

/// @returns how many new events the sink may get at most.
inline size_t room_of(const intake_facts& x) {
  const auto most = x.max_in_flight - room_for_claims(x);
  return most - std::min(x.held, most);
}

/// @returns how many more new events a sink wants, at most room_of(). Events
/// that wait for their next attempt keep no subscriber busy. So they count for
/// `max_in_flight` only; otherwise a few failing events would stop all others.
inline size_t demand_of(const intake_facts& x) {
  if (x.capacity == 0 || x.open_streams == 0)
    return 0;
  const auto busy = x.held - x.waiting;
  // Asks when half of the window is free: then reads are large, and subscribers
  // do not run out of events.
  if (busy >= x.window || (busy > x.window / 2 && busy > x.capacity))
    return 0;
  return std::min(x.window - busy, room_of(x));
}

/// @returns how many more events a sink takes that had another owner or wait
/// for their next attempt. New events never take the place of these: otherwise
/// they would wait as long as there is a backlog.
inline size_t claim_demand_of(const intake_facts& x) {
  if (x.capacity == 0 || x.open_streams == 0 || x.held >= x.max_in_flight)
    return 0;
  return std::min(x.max_in_flight - x.held, std::max(demand_of(x), x.capacity));
}

} // namespace pulse
