#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/streams/stream_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// What a reader needs next: the events of these streams after its cursors. It
/// wants an answer as soon as one of the streams has events.
struct page_request {
  struct stream {
    std::string name;
    event_id after;
    /// The next read of this stream should find out what Redis says about it.
    bool check = false;
    /// Only a read that begins after the request will do. For a reader that did
    /// not ask for a while: the events that were removed meanwhile are then
    /// known before the next event.
    bool fresh = false;
    /// See page_cache::query.
    std::optional<stream_state> opened = std::nullopt;
  };

  std::vector<stream> streams;
  /// Maximum number of events per stream, at least 1.
  uint32_t count = 1;
};

} // namespace pulse
