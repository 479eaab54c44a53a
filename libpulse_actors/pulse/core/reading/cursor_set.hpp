#pragma once

#include "pulse/core/reading/stream_position.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse {

/// Where a reader stands in each of its streams.
struct stream_cursor {
  /// ID of the last event that the reader took.
  event_id last;
  /// Finds out which events the reader missed.
  stream_position position;
};

/// The streams of a reader, by name, with their cursors.
class cursor_set {
public:
  using map_type = std::map<std::string, stream_cursor, std::less<>>;
  using finding = stream_position::finding;

  /// Adds a stream. @returns false if the set has the stream already; its
  /// cursor then stays unchanged.
  bool add(std::string stream, event_id last, stream_position position = {});

  /// Removes a stream. @returns false if the set does not have it.
  bool remove(std::string_view stream);

  [[nodiscard]] bool contains(std::string_view stream) const {
    return streams_.find(stream) != streams_.end();
  }

  /// Moves the cursor of a stream forward to `to`. @returns false if the set
  /// does not have the stream, or its cursor is at `to` or beyond it already.
  bool advance(std::string_view stream, event_id to);

  /// Moves the cursor of a stream back to `to`, unless it is at `to` or before
  /// it already.
  void rewind(std::string_view stream, event_id to);

  /// Compares what Redis says about a stream, `found`, with what the reader has
  /// seen up to `cursor`. Does nothing if the cursor was moved since `found`
  /// was asked for. If the stream was reset, the cursor is moved to where the
  /// stream goes on.
  void check(std::string_view stream, event_id cursor,
             const std::optional<stream_state>& found);

  /// Call this when Redis had no event after `from` in a stream. Does nothing
  /// if the cursor is before that.
  void drained(std::string_view stream, event_id from);

  /// @returns what was found out since the last call, each with the name of its
  /// stream.
  std::vector<std::pair<std::string, finding>> take_findings() {
    return std::exchange(findings_, {});
  }

  [[nodiscard]] const map_type& streams() const noexcept {
    return streams_;
  }

private:
  void note(map_type::value_type& where, const stream_position::result& what);

  map_type streams_;
  std::vector<std::pair<std::string, finding>> findings_;
};

} // namespace pulse
