#pragma once

#include "pulse/core/event_id.hpp"

#include <cstdint>

namespace pulse {

/// A stream as Redis describes it (XINFO STREAM).
struct stream_state {
  uint64_t length = 0;
  /// Number of events ever added, including those that were removed.
  uint64_t added = 0;
  /// ID of the first event; `event_id::min()` if the stream is empty.
  event_id first;
  /// Highest ID that the stream ever had.
  event_id last;
  /// Highest ID that XDEL has removed; trimming does not count.
  event_id max_deleted = event_id::min();

  /// @returns how many events were removed, by trimming or by XDEL.
  [[nodiscard]] uint64_t removed() const noexcept {
    return added > length ? added - length : 0;
  }
};

/// @returns whether `now` certainly is not the stream of which `before` was
/// seen earlier: the stream was deleted meanwhile, or Redis has older data.
/// These facts are compared: the number of events ever added, the number of
/// removed events, the last ID and the ID of the first event never decrease;
/// and if all events of `before` were removed, at least as many were removed as
/// `before` had.
bool is_other_stream(const stream_state& before,
                     const stream_state& now) noexcept;

/// @returns an ID up to which all removed events are: no event with a higher ID
/// was removed.
event_id removed_up_to(const stream_state& x) noexcept;

} // namespace pulse
