#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace pulse {

/// Random engine from which the classes of core draw jitter. The actor that
/// owns such a class creates and seeds the engine.
using random_engine = std::minstd_rand;

/// @returns `base` changed by up to ±`share` (0 to 1) of itself.
std::chrono::milliseconds jittered(std::chrono::milliseconds base, double share,
                                   random_engine& random);

/// Delays between attempts, to reconnect for instance. The delay doubles from
/// `first` to `last`. Each is changed by up to ±25 %, so that clients which
/// lost their connections at the same time do not all reconnect at the same
/// time.
class reconnect_backoff {
public:
  reconnect_backoff(std::chrono::milliseconds first,
                    std::chrono::milliseconds last) noexcept
    : first_(first), last_(last), next_(first) {
    // nop
  }

  /// @returns how long to wait before the next attempt.
  std::chrono::milliseconds next(random_engine& random);

  /// Makes the next delay `first` again. The owner decides when it is time for
  /// that. A connection does not call this when it becomes ready, but when it
  /// ends, and only if it was ready for at least `reconnect_last`.
  void reset() noexcept {
    next_ = first_;
  }

private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
};

/// @returns the delay after failed attempt number `attempt` (>= 1) of an event:
/// that entry of `list`, changed by up to ±25 %. Attempts beyond the end of the
/// list use the last entry. An empty list means no delay.
std::chrono::milliseconds
redelivery_delay(const std::vector<std::chrono::milliseconds>& list,
                 uint32_t attempt, random_engine& random);

} // namespace pulse
