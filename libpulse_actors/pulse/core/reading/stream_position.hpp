#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/start_position.hpp"
#include "pulse/core/streams/stream_state.hpp"

#include <cstdint>
#include <optional>

namespace pulse {

/// Finds out whether a reader missed events of its stream. It counts the events
/// up to the reader's position, and compares this count now and then with the
/// number that Redis reports. The comparison shows events that were removed
/// before the reader came to them, and streams that were deleted or replaced,
/// however long ago that happened. It needs no extra command per read.
///
/// The count is exact once the reader was at one end of the stream, or has
/// passed the event that was the last one at the time of a check. Before that,
/// it only gives an upper bound of the loss: the number of events that were
/// removed since the last check.
class stream_position {
public:
  /// The result of a comparison that found something.
  struct finding {
    enum class type : uint8_t {
      /// Events between `after` and `first_available` are missing.
      gap,
      /// The stream was replaced, or lost its last events. The reader has to go
      /// on after `after`.
      reset,
    };

    type kind = type::gap;
    event_id after;
    event_id first_available;
    /// Maximum number of missing events.
    uint64_t lost = 0;
    /// Whether exactly `lost` events are missing.
    bool exact = false;
  };

  using result = std::optional<finding>;

  stream_position() = default;

  /// For a reader that begins after `cursor`, which was computed from `start`.
  /// @param found The stream when the reader began; empty if it did not exist.
  stream_position(const start_position& start, event_id cursor,
                  const std::optional<stream_state>& found);

  /// For a reader that goes on at the position of another reader.
  static stream_position resumed();

  /// Call this when the reader took the next event, `id`.
  result took(event_id id);

  /// Call this when the reader, which was at `from`, has to read again after
  /// `to`.
  void rewound(event_id from, event_id to);

  /// Call this when the reader is at `cursor` and Redis has no event after it.
  result drained(event_id cursor);

  /// Compares the count with what Redis reports while the reader is at
  /// `cursor`.
  /// @param found The stream; empty if it does not exist.
  result check(event_id cursor, const std::optional<stream_state>& found);

  /// @returns whether the count is not exact although the server counts. A
  /// check before each read then keeps the upper bound of a loss low.
  [[nodiscard]] bool uncertain() const noexcept {
    return countable_ && !exact_;
  }

private:
  // An event that was the last one of the stream: `id`. When the reader passes
  // it, it must have seen `count` events.
  struct milestone {
    event_id after;
    event_id id;
    uint64_t count = 0;
  };

  // The stream and the position of the reader at the last check.
  struct snapshot {
    event_id cursor;
    event_id first;
    uint64_t removed = 0;
  };

  [[nodiscard]] bool was_empty(event_id cursor) const noexcept;
  [[nodiscard]] bool is_older(event_id cursor, const stream_state& now) const;
  result gone(event_id cursor);
  result changed(event_id cursor, const stream_state& now);
  result restart(const stream_state& now);
  result compare(event_id cursor, const stream_state& now);
  result bound(event_id cursor, const stream_state& now, bool passed);
  result settle(uint64_t seen, event_id first_available);

  uint64_t count_ = 0;
  bool exact_ = false;
  // Whether the server counts the events that are added.
  bool countable_ = false;
  // Whether the stream has reached the ID at the cursor. It has not if the
  // reader was told to start at an ID in the future.
  bool anchored_ = false;
  std::optional<milestone> next_;
  std::optional<snapshot> last_check_;
};

} // namespace pulse
