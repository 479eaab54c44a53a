#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

namespace pulse {

/// Engine that the pure classes draw jitter from; seeded by their owner.
using random_engine = std::minstd_rand;

/// @returns `base` changed by up to ±`share` (0 to 1) of itself.
std::chrono::milliseconds jittered(std::chrono::milliseconds base, double share,
                                   random_engine& random);

/// Delays between attempts to reconnect: doubles from `first` to `last`, ±25 %
/// so that many clients do not come back in step.
class reconnect_backoff {
public:
  reconnect_backoff(std::chrono::milliseconds first,
                    std::chrono::milliseconds last) noexcept
    : first_(first), last_(last), next_(first) {
    // nop
  }

  /// @returns how long to wait before the next attempt.
  std::chrono::milliseconds next(random_engine& random);

  /// To be called after a success: the next delay is `first` again.
  void reset() noexcept {
    next_ = first_;
  }

private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
};

/// Delay before attempt `attempt + 1` of an event after `attempt` (>= 1)
/// failed ones: the list's entry, ±25 %; the last one repeats; an empty list
/// means no delay.
std::chrono::milliseconds
redelivery_delay(const std::vector<std::chrono::milliseconds>& list,
                 uint32_t attempt, random_engine& random);

} // namespace pulse
