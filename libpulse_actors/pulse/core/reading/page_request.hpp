#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/streams/stream_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pulse {

/// What a reader needs next: the events of its streams after its cursors. It
/// wants an answer as soon as one of the streams has events. A reader may have
/// thousands of streams, so a request names only those that changed.
struct page_request {
  struct stream {
    std::string name;
    event_id after;
    /// The next read of this stream should find out what Redis says about it.
    bool check = false;
    /// Only a read that begins after the request will do. For a reader that had
    /// no subscriber, or replaces one that died: the events that were removed
    /// meanwhile are then known before the next event. Holds until the stream
    /// is named again.
    bool fresh = false;
    /// See page_cache::query.
    std::optional<stream_state> opened = std::nullopt;
  };

  /// The streams whose cursors have moved since the last request, or of which
  /// the reader has heard something since.
  std::vector<stream> streams;
  /// Maximum number of events per stream, at least 1.
  uint32_t count = 1;
  /// Whether these are all streams of the reader. Otherwise it has those of the
  /// request before as well.
  bool all = true;
  /// The streams that the reader has no more.
  std::vector<std::string> removed = {};
};

} // namespace pulse
