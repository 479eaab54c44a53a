#pragma once

#include <cstdint>
#include <string_view>

namespace pulse::chaos {

/// What a worker does with an event, beside handling it.
enum class misdeed : uint8_t {
  none,
  /// Dies at the first attempt.
  crash,
  /// Works on it for longer than ack_wait, at the first attempt.
  hang,
  /// Refuses the first attempt.
  nack,
  /// Works on it for longer than the lease, but not than ack_wait.
  slow,
  /// Dies at every attempt: becomes a dead letter.
  poison,
  /// Gives it up at once: becomes a dead letter.
  reject,
};

/// How often: one event in so many; 0: never.
struct misdeed_rates {
  uint64_t crash = 0;
  uint64_t hang = 0;
  uint64_t nack = 0;
  uint64_t slow = 0;
  uint64_t poison = 0;
  uint64_t reject = 0;
};

/// Depends on nothing but the arguments, so that each attempt at an event
/// meets the same.
/// @param event Its label.
/// @param first Whether it is the first delivery.
misdeed choose_misdeed(const misdeed_rates& rates, uint64_t seed,
                       std::string_view sink, std::string_view event,
                       bool first);

} // namespace pulse::chaos
