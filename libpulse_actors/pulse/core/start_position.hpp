#pragma once

#include "pulse/core/event_id.hpp"

#include <chrono>
#include <cstdint>

namespace pulse {

/// What a start position refers to.
enum class start_kind : uint8_t {
  /// Events that are added after the reader or sink was opened. The actor asks
  /// Redis for the end of the stream once, when it is opened.
  newest,
  /// All events that are still in the stream.
  oldest,
  /// Events with a higher ID than `start_position::id`.
  after,
};

/// Where a reader or a new sink begins in each of its streams. Default: newest.
struct start_position {
  start_kind kind = start_kind::newest;
  /// Used by `start_kind::after` only.
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

  /// All events that Redis stored at `time` or later, by the server's clock. A
  /// time before 1970 means `oldest()`.
  static start_position at(std::chrono::system_clock::time_point time) noexcept;

  friend bool operator==(const start_position& a,
                         const start_position& b) noexcept {
    return a.kind == b.kind && a.id == b.id;
  }
};

/// @returns "newest", "oldest" or, for example, "after 1700000000000-3".
std::string to_string(const start_position& x);

/// Parses a start position from a command line or TOML: "newest", "oldest",
/// "<event ID>" (after that event), or a time as "@<Unix seconds>" or
/// "2026-11-23T10:00:00Z" (UTC).
/// Error: `errc::invalid_option`; its text lists these forms.
outcome<start_position> parse_start_position(std::string_view text);

} // namespace pulse
