#pragma once

#include "pulse/core/backoff.hpp"

namespace pulse::internal {

/// Pauses between attempts to read after failures, ±25 %. Under a lasting fault
/// there is less than one attempt per second.
inline reconnect_backoff retry_backoff() noexcept {
  return {std::chrono::milliseconds{100}, std::chrono::milliseconds{1'500}};
}

} // namespace pulse::internal
