#pragma once

#include "pulse/core/event_id.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulse {

/// Where a reader stands in each of its streams.
struct stream_cursor {
  /// ID of the last event that the reader took.
  event_id last;
  /// Not read at present, because Redis refuses to read it.
  bool aside = false;
};

/// The streams of a reader, by name, with their cursors.
class cursor_set {
public:
  using map_type = std::map<std::string, stream_cursor, std::less<>>;

  /// @returns false if the stream is there already; then it stays where it is.
  bool add(std::string stream, event_id last);

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

  void set_aside(std::string_view stream, bool aside);

  /// Names of the streams that are (not) set aside.
  [[nodiscard]] std::vector<std::string> names(bool aside) const;

  /// Number of streams that are read, that is: not set aside.
  [[nodiscard]] size_t active() const noexcept;

  [[nodiscard]] const map_type& streams() const noexcept {
    return streams_;
  }

private:
  map_type streams_;
};

} // namespace pulse
