#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/streams/stream_state.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pulse {

/// What one read of a stream found: the next events after an ID, and maybe what
/// Redis says about the stream. The readers that share a read share its block.
struct stream_page {
  std::string stream;
  /// The ID after which the events were read.
  event_id after;
  /// The events are those of `block` from `begin` up to `end`, itself excluded.
  /// Null if there are no events.
  std::shared_ptr<const event_block> block;
  uint32_t begin = 0;
  uint32_t end = 0;
  /// Whether Redis was asked about the stream just before the read, when all
  /// events up to `after` had been read; and its answer, which is empty if the
  /// stream did not exist.
  bool checked = false;
  std::optional<stream_state> found;
  /// Redis had no event after `after`.
  bool drained = false;
  /// See resp::reply.
  std::chrono::steady_clock::duration took{0};

  [[nodiscard]] uint32_t size() const noexcept {
    return end - begin;
  }

  /// @pre `size() > 0`
  [[nodiscard]] event_id last() const noexcept {
    return block->extents[end - 1].id;
  }
};

/// Gives a page a block of its own if the page is the smaller part of a block
/// of several streams. Otherwise a few events of one stream, as long as
/// somebody has them, would keep the events of all the others in memory.
/// @pre `x.size() > 0`
void detach(stream_page& x);

} // namespace pulse
