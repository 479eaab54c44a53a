#pragma once

#include "pulse/core/errc.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pulse {

/// How many events to ask Redis for at once. A reply may be too large: for the
/// client-output-buffer-limit of Redis, for max_reply_bytes, or to come over a
/// slow link before its deadline. Asking for as much again would fail for ever.
class page_limit {
public:
  /// @returns `wanted` or what the limit leaves of it, at least 1 unless
  /// nothing is wanted.
  [[nodiscard]] uint32_t apply(uint64_t wanted) const noexcept {
    return static_cast<uint32_t>(std::min<uint64_t>(wanted, limit_));
  }

  /// The reply to a request for `asked` events did not come, as `why` says. The
  /// first time that may be for any reason, and changes nothing.
  void failed(uint64_t asked, errc why) noexcept {
    if (why != errc::connection_lost && why != errc::timed_out
        && why != errc::protocol_error)
      return;
    if (std::exchange(suspicious_, true))
      limit_ = std::max(apply(asked) / 4, 1u);
  }

  /// It did. Grows slowly: each page too large costs a connection.
  void worked() noexcept {
    suspicious_ = false;
    limit_ = std::min(limit_ + limit_ / 8 + 1, most);
  }

private:
  // Above all that is ever asked for.
  static constexpr uint32_t most = 1u << 20;

  uint32_t limit_ = most;
  // The last reply did not come.
  bool suspicious_ = false;
};

} // namespace pulse
