#pragma once

#include <algorithm>
#include <cstddef>

namespace pulse {

/// What a sink holds, and what it could work on.
struct intake_facts {
  /// Sum of the credit of all subscribers.
  size_t capacity = 0;
  /// Streams that it reads.
  size_t open_streams = 0;
  /// How many events it should hold, see fetch_window.
  size_t window = 0;
  /// How many events it may hold.
  size_t max_in_flight = 0;
  /// Events that it holds, unconfirmed acks included.
  size_t held = 0;
  /// Those of them that wait for their next attempt.
  size_t waiting = 0;
};

/// @returns how many more events a sink wants. 0 unless it can take one of each
/// of its streams, since Redis counts per stream. Events that wait for their
/// next attempt keep no subscriber busy: they count for `max_in_flight` only,
/// so that a few events that fail do not stop all others.
inline size_t demand_of(const intake_facts& x) {
  if (x.capacity == 0 || x.open_streams == 0)
    return 0;
  const auto wanted = std::max(x.window, x.open_streams);
  const auto most = std::max(x.max_in_flight, x.open_streams);
  const auto busy = x.held - x.waiting;
  // Half a window at a time: reads stay large, and subscribers stay busy.
  if (busy >= wanted || (busy > wanted / 2 && busy > x.capacity))
    return 0;
  if (x.held >= most || most - x.held < x.open_streams)
    return 0;
  return std::max(std::min(wanted - busy, most - x.held), x.open_streams);
}

} // namespace pulse
