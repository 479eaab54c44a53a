#pragma once

#include "pulse/core/event.hpp"

#include <algorithm>
#include <cstdint>

// Redis keeps one number for each pending entry, the delivery counter, and adds
// one to it at each claim. The library stores all counts of an event in this
// number. So the counts survive a node, and they vanish with the entry. The
// decimal digits can be read by people:
//
//     <marked> <4 digits: crashes> <5 digits: failures> <5 digits: deliveries>
//
// For an event that never failed, this is the number that Redis itself counts.
// There are no more digits, because numbers in the scripts of Redis have 53
// bits.

namespace pulse {

/// What the delivery counter of a pending entry says.
struct stored_counts {
  delivery_counts counts;
  /// Whether the crashes include one that has not happened (yet): a worker got
  /// the event, and its node may die because of it.
  bool marked = false;
};

/// Packs the counts into one number. A count that is too large for its digits
/// is stored as the largest number that fits.
constexpr int64_t pack(const delivery_counts& x, bool marked = false) noexcept {
  // The limit is below 99 999, because Redis may add some deliveries later.
  const int64_t deliveries = std::min(x.deliveries, 99'000u);
  const int64_t failures = std::min(x.failures, 99'999u);
  const int64_t crashes = std::min(x.crashes, 9'999u);
  return ((marked ? 10'000 : 0) + crashes) * 10'000'000'000 + failures * 100'000
         + deliveries;
}

/// @param x The delivery counter that XPENDING shows. Any value is accepted,
/// because other programs may have set it.
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
