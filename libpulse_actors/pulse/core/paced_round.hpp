#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pulse {

/// Decides when each of many things is to be visited, if each is to be visited
/// once per period: one after the other, spread evenly over the period.
class paced_round {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = time_point::duration;

  /// @param start The first period begins here.
  explicit paced_round(time_point start) noexcept : last_(start) {
    // nop
  }

  /// @param things The numbers of the things, in order. They may change from
  /// call to call.
  /// @param most How many things to return at most. What is due beyond that is
  /// late, but not given up, up to that number.
  /// @returns the things to visit now.
  std::vector<uint32_t> due(time_point now, const std::vector<uint32_t>& things,
                            duration period, size_t most) {
    const auto size = static_cast<double>(things.size());
    const auto passed = std::chrono::duration<double>(now - last_)
                        / std::chrono::duration<double>(period);
    last_ = now;
    due_ = std::min(due_ + passed * size, static_cast<double>(2 * most));
    std::vector<uint32_t> result;
    const auto n = std::min({things.size(), most, static_cast<size_t>(due_)});
    auto next = std::lower_bound(things.begin(), things.end(), next_);
    for (size_t i = 0; i < n; ++i, ++next) {
      if (next == things.end())
        next = things.begin();
      result.push_back(*next);
    }
    due_ = std::min(due_ - static_cast<double>(n), size);
    if (n > 0)
      next_ = result.back() + 1;
    return result;
  }

private:
  time_point last_;
  // How many things are due. Fractions add up from call to call.
  double due_ = 0;
  uint32_t next_ = 0;
};

/// @returns the period in which each of `n` things can be visited without more
/// than `per_second` visits a second; at least `wanted`.
inline std::chrono::milliseconds
period_for(size_t n, std::chrono::milliseconds wanted, size_t per_second) {
  return std::max(wanted, std::chrono::milliseconds{
                            static_cast<int64_t>(n * 1'000 / per_second)});
}

} // namespace pulse
