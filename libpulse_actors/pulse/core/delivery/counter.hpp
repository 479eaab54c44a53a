#pragma once

#include "pulse/core/event.hpp"

#include <algorithm>
#include <cstdint>

// Redis keeps one number per pending entry, its delivery counter, and adds one
// at each claim. It carries all our counts, so that they outlive a node and
// vanish with the entry: in decimal, to be read by people,
//
//     <marked> <4 digits: crashes> <5 digits: failures> <5 digits: deliveries>
//
// which for an event that never failed is the number that Redis itself counts.
// Not more digits, since scripts in Redis have numbers of 53 bits.

namespace pulse {

/// What the delivery counter of a pending entry says.
struct stored_counts {
  delivery_counts counts;
  /// A worker has it, and should its node die, that is counted already.
  bool marked = false;
};

/// Counts too large for their digits are stored as the largest that fits.
constexpr int64_t pack(const delivery_counts& x, bool marked = false) noexcept {
  // Redis may add some to the last digits.
  const int64_t deliveries = std::min(x.deliveries, 99'000u);
  const int64_t failures = std::min(x.failures, 99'999u);
  const int64_t crashes = std::min(x.crashes, 9'999u);
  return ((marked ? 10'000 : 0) + crashes) * 10'000'000'000 + failures * 100'000
         + deliveries;
}

/// @param x What XPENDING says; others may have set it to anything.
constexpr stored_counts unpack(int64_t x) noexcept {
  stored_counts result;
  if (x < 0)
    return result;
  auto next = [&](int64_t digits) {
    const auto n = static_cast<uint32_t>(x % digits);
    x /= digits;
    return n;
  };
  result.counts.deliveries = next(100'000);
  result.counts.failures = next(100'000);
  result.counts.crashes = next(10'000);
  result.marked = x > 0;
  return result;
}

} // namespace pulse
