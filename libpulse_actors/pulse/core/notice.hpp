#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>
#include <string>

namespace pulse {

/// What a notice reports.
enum class notice_kind : uint8_t {
  /// Events were trimmed, removed or expired before they were delivered.
  gap,
  /// The consumer group had vanished, and the sink created it again at `after`.
  group_recovered,
  /// The stream was deleted or replaced, or its IDs went back. The reader or
  /// sink delivers what the stream has now, from `after` on.
  stream_reset,
};

/// News about a stream that its events do not tell: what was lost, and what
/// was repaired. Readers and sinks count each notice, log its text and send it
/// to the listeners that asked for notices.
struct notice {
  notice_kind kind = notice_kind::gap;
  std::string stream;
  /// Name of the sink; empty if a reader tells.
  std::string sink;
  /// For a gap: the last event before the missing ones. For all other kinds:
  /// delivery goes on with the first event behind this ID.
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
std::string to_string(notice_kind x);

} // namespace pulse
