#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <string>

namespace pulse {

/// News about a stream that its events do not tell: what was lost, and what
/// was repaired. Readers and sinks send it to who asked for it, count it, and
/// log its text.
struct notice {
  enum class kind : uint8_t {
    /// Events were trimmed, removed or expired before they were delivered.
    gap,
    /// The consumer group had vanished, and was created again at `after`.
    group_recovered,
    /// The stream was deleted or replaced, or its IDs went back. What it has
    /// now is delivered from `after` on.
    stream_reset,
  };

  kind what = kind::gap;
  std::string stream;
  /// Name of the sink; empty if a reader tells.
  std::string sink;
  /// What is missing has higher IDs. Otherwise: behind this ID it goes on.
  event_id after;
  /// Events from here on are not concerned; `event_id::min()`: none yet.
  event_id first_available;
  /// How many events are missing at most; 0: none, or nobody knows.
  uint64_t lost_at_most = 0;
  /// Whether exactly `lost_at_most` are missing.
  bool exact = false;
  /// Whether events are, or may be, lost for this reader or sink.
  bool data_loss = false;
  /// One line for people.
  std::string text;
};

/// "gap", "group_recovered", "stream_reset"
std::string to_string(notice::kind x);

} // namespace pulse
