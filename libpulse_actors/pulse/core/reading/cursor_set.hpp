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
  /// Not read at present, because Redis refuses to read it.
  bool suspended = false;
  /// Knows what is missing.
  stream_position position;
};

/// The streams of a reader, by name, with their cursors.
class cursor_set {
public:
  using map_type = std::map<std::string, stream_cursor, std::less<>>;
  using finding = stream_position::finding;

  /// @returns false if the stream is there already; then it stays where it is.
  bool add(std::string stream, event_id last, stream_position position = {});

  /// @returns false if the stream is not there.
  bool remove(std::string_view stream);

  [[nodiscard]] bool contains(std::string_view stream) const {
    return streams_.find(stream) != streams_.end();
  }

  /// Moves a cursor forward. @returns false if the stream is not there, or
  /// stands at `to` or behind it already.
  bool advance(std::string_view stream, event_id to);

  /// Moves a cursor back to `to`, unless it stands there or before it already.
  void rewind(std::string_view stream, event_id to);

  void set_suspended(std::string_view stream, bool suspended);

  /// Compares the stream, of which a reader stands at `cursor`, with what Redis
  /// says, unless the cursor moved meanwhile. After a reset the cursor moves.
  void check(std::string_view stream, event_id cursor,
             const std::optional<stream_state>& found);

  /// Nothing is behind any of the cursors of streams that are read.
  void drained();

  /// @returns what came to light since the last call, by stream.
  std::vector<std::pair<std::string, finding>> take_findings() {
    return std::exchange(findings_, {});
  }

  /// @returns whether a check before the next read would tell something.
  [[nodiscard]] bool uncertain() const noexcept;

  /// Names of the streams that are (not) suspended.
  [[nodiscard]] std::vector<std::string> names(bool suspended) const;

  /// Number of streams that are read, that is: not suspended.
  [[nodiscard]] size_t active() const noexcept;

  [[nodiscard]] const map_type& streams() const noexcept {
    return streams_;
  }

private:
  void note(map_type::value_type& where, const stream_position::result& what);

  map_type streams_;
  std::vector<std::pair<std::string, finding>> findings_;
};

} // namespace pulse
