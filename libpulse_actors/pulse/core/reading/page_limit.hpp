#pragma once

#include "pulse/core/errc.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pulse {

/// Limits how many events one read asks Redis for. A reply can be too large for
/// the client-output-buffer-limit of Redis, for max_reply_bytes, or to arrive
/// over a slow link before its deadline. Another read for as many events would
/// then fail in the same way, again and again.
class page_limit {
public:
  /// @returns `wanted`, or the limit if that is lower. At least 1, unless
  /// `wanted` is 0.
  [[nodiscard]] uint32_t apply(uint64_t wanted) const noexcept {
    return static_cast<uint32_t>(std::min<uint64_t>(wanted, limit_));
  }

  /// Call this when a read for `asked` events failed with `why`. The first
  /// failure may have any reason, so it changes nothing. After the second one
  /// in a row the limit is a quarter of `asked`.
  void failed(uint64_t asked, errc why) noexcept {
    if (why != errc::connection_lost && why != errc::timed_out
        && why != errc::protocol_error && why != errc::payload_too_large)
      return;
    if (std::exchange(suspicious_, true))
      limit_ = std::max(apply(asked) / 4, 1u);
  }

  /// Call this when a read succeeded. The limit grows slowly, since each reply
  /// that is too large costs a connection.
  void worked() noexcept {
    suspicious_ = false;
    limit_ = std::min(limit_ + limit_ / 8 + 1, most);
  }

private:
  // More than any read asks for.
  static constexpr uint32_t most = 1u << 20;

  uint32_t limit_ = most;
  // Whether the last read failed.
  bool suspicious_ = false;
};

} // namespace pulse
