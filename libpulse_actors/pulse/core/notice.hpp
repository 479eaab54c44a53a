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
  /// Very many events failed and wait for their next attempt. A sink reports
  /// that once, and again if their number had fallen to the half meanwhile.
  many_failures,
  /// Somebody deleted the consumer of this sink (XGROUP DELCONSUMER), and with
  /// it the list of the events that the sink holds. The sink keeps them.
  consumer_deleted,
};

/// Reports what a reader or sink found out about a stream and what its events
/// do not show: lost events, and repairs. Readers and sinks count each notice,
/// log its text and send it to the listeners that asked for notices.
struct notice {
  notice_kind kind = notice_kind::gap;
  /// Name of the stream.
  std::string stream;
  /// Name of the sink; empty if a reader sends the notice.
  std::string sink;
  /// For a gap: the missing events have higher IDs than this one. For all other
  /// kinds: delivery goes on with the first event after this ID.
  event_id after;
  /// The first event that is still in the stream; events from it on are not
  /// missing. `event_id::min()`: the stream has no such event yet.
  event_id first_available;
  /// Maximum number of missing events; 0: no event is missing, or the number is
  /// unknown.
  uint64_t lost_at_most = 0;
  /// Whether exactly `lost_at_most` are missing.
  bool exact = false;
  /// Whether this reader or sink has lost events, or may have lost events.
  bool data_loss = false;
  /// One line in English that describes the notice, for logs and people.
  std::string text;
};

/// @returns the enumerator's name, e.g. "group_recovered".
std::string to_string(notice_kind x);

} // namespace pulse
