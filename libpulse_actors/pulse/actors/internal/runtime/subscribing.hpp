#pragma once

#include "pulse/actors/messages.hpp"
#include "pulse/core/outcome.hpp"

#include <algorithm>
#include <string>

namespace pulse::internal {

// What subscriptions to readers and to sinks have in common.

/// @returns the subscription of a `batch_listener`, which gets batches always.
inline subscription for_batches(subscription x) noexcept {
  constexpr uint32_t default_max_batch = 100;
  if (x.max_batch == 0)
    x.max_batch = default_max_batch;
  return x;
}

/// @returns the credit of a subscriber.
/// @param by_default Of those that asked for no particular credit.
inline uint32_t credit_of(const subscription& x, uint32_t by_default) noexcept {
  // While a subscriber handles a batch, the next one can arrive.
  return x.credit > 0 ? x.credit : std::max(by_default, 2 * x.max_batch);
}

inline status check(const subscription& x) {
  constexpr uint32_t most = 100'000;
  if (x.max_batch <= most)
    return {};
  return failure{errc::invalid_option,
                 "max_batch of a subscription must be 0 (single events) to "
                   + std::to_string(most) + ", not "
                   + std::to_string(x.max_batch)};
}

} // namespace pulse::internal
