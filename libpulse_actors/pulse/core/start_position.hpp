#pragma once

#include "pulse/core/event_id.hpp"

#include <chrono>
#include <cstdint>

namespace pulse {

/// What a start position refers to.
enum class start_kind : uint8_t {
  /// Events added after opening. Resolved to an ID once, when opened.
  newest,
  /// Everything that the stream still holds.
  oldest,
  /// Events with a higher ID than `start_position::id`.
  after,
};

/// Where a reader, or a new sink, begins in a stream.
struct start_position {
  start_kind kind = start_kind::newest;
  /// For `after` only.
  event_id id;

  static start_position newest() noexcept {
    return {};
  }

  static start_position oldest() noexcept {
    return {start_kind::oldest, {}};
  }

  static start_position after(event_id id) noexcept {
    return {start_kind::after, id};
  }

  /// Events that Redis stored at `time` or later, by the server's clock. A
  /// time before 1970 means everything.
  static start_position at(std::chrono::system_clock::time_point time) noexcept;

  friend bool operator==(const start_position& a,
                         const start_position& b) noexcept {
    return a.kind == b.kind && a.id == b.id;
  }
};

/// "newest", "oldest", "after 1700000000000-3"
std::string to_string(const start_position& x);

/// Reads "newest", "oldest", "<event id>" (after that event), or a time as
/// "@<unix seconds>" or "2026-11-23T10:00:00Z" (UTC). For command lines and
/// TOML. Error: `errc::invalid_option`, listing these forms.
outcome<start_position> parse_start_position(std::string_view text);

} // namespace pulse
