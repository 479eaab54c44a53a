#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pulse::bench {

/// @param q From 0 to 1.
/// @returns the value below which the part `q` of the values lies; 0 if there
/// are none.
inline double quantile(std::vector<double> xs, double q) {
  if (xs.empty())
    return 0;
  std::sort(xs.begin(), xs.end());
  const auto last = static_cast<double>(xs.size() - 1);
  return xs[static_cast<size_t>(q * last + 0.5)];
}

inline double median(std::vector<double> xs) {
  return quantile(std::move(xs), 0.5);
}

} // namespace pulse::bench
