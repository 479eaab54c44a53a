#pragma once

#include <cstdint>
#include <string_view>

namespace pulse::chaos {

/// How a worker misbehaves with an event.
enum class misdeed : uint8_t {
  none,
  /// Dies at the first attempt.
  crash,
  /// Works for longer than ack_wait at the first attempt.
  hang,
  /// Refuses the first attempt.
  nack,
  /// Works for longer than the lease, but not for longer than ack_wait.
  slow,
  /// Dies at every attempt, so that the event becomes a dead letter.
  poison,
  /// Gives the event up, so that it becomes a dead letter at once.
  reject,
};

/// How often a worker misbehaves: for one event in this many; 0: never.
struct misdeed_rates {
  uint64_t crash = 0;
  uint64_t hang = 0;
  uint64_t nack = 0;
  uint64_t slow = 0;
  uint64_t poison = 0;
  uint64_t reject = 0;
};

/// The result depends only on the arguments, so it is the same at each attempt.
/// @param event The label of the event.
/// @param first Whether this is the first delivery.
misdeed choose_misdeed(const misdeed_rates& rates, uint64_t seed,
                       std::string_view sink, std::string_view event,
                       bool first);

} // namespace pulse::chaos
