#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/start_position.hpp"

#include <cstdint>
#include <optional>

namespace pulse {

/// A stream as Redis describes it (XINFO STREAM).
struct stream_state {
  uint64_t length = 0;
  /// Events ever added, those that are gone included.
  uint64_t added = 0;
  /// `event_id::min()` if the stream is empty.
  event_id first;
  /// Highest ID that it ever had.
  event_id last;
};

/// How many events of a stream a reader has behind it. Compared now and then
/// with how many Redis says there were, that shows what was removed before the
/// reader came to it, and that the stream is no longer the one it was: without
/// any command per read, and however long ago it happened.
///
/// The count is exact as soon as the reader stood at an end of the stream, or
/// passed what was its end at a check. Before that, losses are bounded by what
/// was removed since the last check.
class stream_position {
public:
  /// What a comparison brought to light.
  struct finding {
    enum class type : uint8_t {
      /// Between `after` and `first_available` events are missing.
      gap,
      /// The stream is another one, or lost its end: go on behind `after`.
      reset,
    };

    type kind = type::gap;
    event_id after;
    event_id first_available;
    /// How many are missing at most.
    uint64_t lost = 0;
    /// Whether exactly as many are missing.
    bool exact = false;
  };

  using result = std::optional<finding>;

  stream_position() = default;

  /// A reader that begins behind `cursor`, which it found from `start`.
  /// @param found The stream then; nothing if it did not exist.
  stream_position(const start_position& start, event_id cursor,
                  const std::optional<stream_state>& found);

  /// A reader that goes on where another one stood.
  static stream_position resumed();

  /// The reader took the next event.
  result took(event_id id);

  /// The reader has to read again behind `to`; it stood at `from`.
  void rewound(event_id from, event_id to);

  /// The reader stands at `cursor` and finds nothing behind it.
  result drained(event_id cursor);

  /// Compares with what Redis says while the reader stands at `cursor`.
  /// @param found The stream; nothing if it does not exist.
  result check(event_id cursor, const std::optional<stream_state>& found);

  /// @returns whether the count is not known, but checks tell something. Then
  /// one before each read keeps the bounds narrow.
  [[nodiscard]] bool uncertain() const noexcept {
    return countable_ && !exact_;
  }

private:
  // An end that the stream had: when the reader passes it, it must have seen
  // that many.
  struct milestone {
    event_id after;
    event_id id;
    uint64_t count = 0;
  };

  // The stream at the last check, and where the reader stood.
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
  // Whether the server counts what is added.
  bool countable_ = false;
  // Whether the stream really had the ID at the cursor: a start may lie in the
  // future.
  bool anchored_ = false;
  std::optional<milestone> next_;
  std::optional<snapshot> last_check_;
};

} // namespace pulse
