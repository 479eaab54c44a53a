#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

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
  /// confirmed, and without those that are parked.
  size_t held = 0;
  /// How many events are parked, and how many may be.
  size_t parked = 0;
  size_t max_parked = 0;
  /// How many bytes the sink may hold.
  uint64_t max_bytes = UINT64_MAX;
  /// How many bytes the sink holds.
  uint64_t held_bytes = 0;
  /// How many bytes an event has, about.
  uint64_t event_bytes = 0;
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

/// @returns how many more bytes the sink may hold. For new events that is less
/// than for others, see room_for_claims().
inline uint64_t bytes_left(const intake_facts& x, bool new_events) {
  const auto most = new_events ? x.max_bytes - x.max_bytes / 4 : x.max_bytes;
  return most - std::min(x.held_bytes, most);
}

/// @returns how large a reply may be. Several of them may be under way at a
/// time, and the size of events is only an estimate. So this is only a part of
/// what is left.
inline uint64_t reply_bytes(const intake_facts& x, bool new_events) {
  return bytes_left(x, new_events) / 4;
}

/// @returns whether the sink may get another event. A sink that holds nothing
/// takes any event: it may be greater than all that the sink may hold.
inline bool takes_bytes(const intake_facts& x, bool new_events) {
  const auto left = bytes_left(x, new_events);
  return x.held_bytes == 0 || (left > 0 && left >= x.event_bytes);
}

/// @returns whether the sink can work on more events.
inline bool takes_events(const intake_facts& x) {
  return x.capacity > 0 && x.open_streams > 0 && x.parked < x.max_parked;
}

/// @returns how many more new events a sink wants, at most room_of(). Parked
/// events keep no subscriber busy, so they do not count for `max_in_flight`.
inline size_t demand_of(const intake_facts& x) {
  if (!takes_events(x) || !takes_bytes(x, true))
    return 0;
  // Asks when half of the window is free: then reads are large, and subscribers
  // do not run out of events.
  if (x.held >= x.window || (x.held > x.window / 2 && x.held > x.capacity))
    return 0;
  return std::min(x.window - x.held, room_of(x));
}

/// @param busy How many events subscribers have, or will have soon.
/// @returns of how many parked events a sink may read the contents again. If
/// subscribers are idle, `max_in_flight` does not matter: the events that it
/// leaves no room for may be those that all others wait for.
inline size_t room_for_parked_of(const intake_facts& x, size_t busy) {
  if (x.capacity == 0)
    return 0;
  if (!takes_bytes(x, false))
    return busy == 0 ? 1 : 0;
  return std::max(x.max_in_flight - std::min(x.held, x.max_in_flight),
                  x.capacity - std::min(busy, x.capacity));
}

/// @returns how many more events a sink takes that had another owner or wait
/// for their next attempt. New events never take the place of these: otherwise
/// they would wait as long as there is a backlog.
inline size_t claim_demand_of(const intake_facts& x) {
  if (!takes_events(x) || x.held >= x.max_in_flight || !takes_bytes(x, false))
    return 0;
  return std::min(x.max_in_flight - x.held, std::max(demand_of(x), x.capacity));
}

} // namespace pulse
