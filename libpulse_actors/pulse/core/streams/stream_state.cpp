#include "pulse/core/streams/stream_state.hpp"

#include <algorithm>

namespace pulse {

bool is_other_stream(const stream_state& before,
                     const stream_state& now) noexcept {
  if (now.added < before.added || now.last < before.last
      || now.removed() < before.removed()
      || now.max_deleted < before.max_deleted)
    return true;
  // New events have higher IDs than all events that were there before.
  if (now.length > 0) {
    const auto lowest = before.length > 0 ? before.first : before.last.next();
    if (now.first < lowest)
      return true;
  }
  const bool all_gone = now.length == 0 || now.first > before.last;
  return all_gone && now.removed() < before.added;
}

event_id removed_up_to(const stream_state& x) noexcept {
  // Trimming removes the first events.
  const auto trimmed = x.length > 0 ? x.first.previous() : x.last;
  return x.removed() > 0 ? std::max(trimmed, x.max_deleted) : event_id::min();
}

} // namespace pulse
