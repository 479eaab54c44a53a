#pragma once

#include <chrono>
#include <cstdint>

namespace pulse::simulation {

/// The source of all chance in a run (SplitMix64). The distributions of the
/// standard library differ between implementations; these do not, so a seed
/// means the same run everywhere.
class dice {
public:
  explicit dice(uint64_t seed) noexcept : state_(seed) {
    // nop
  }

  uint64_t bits() noexcept {
    auto x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  /// @returns a number from 0 to `n` - 1. @pre `n > 0`
  uint32_t below(size_t n) noexcept {
    return static_cast<uint32_t>(bits() % n);
  }

  /// @returns a number from `low` to `high`.
  uint32_t between(uint32_t low, uint32_t high) noexcept {
    return low + below(high - low + 1u);
  }

  bool one_in(uint32_t n) noexcept {
    return below(n) == 0;
  }

  /// @returns a time from `low` to `high`, in whole microseconds.
  std::chrono::microseconds between(std::chrono::microseconds low,
                                    std::chrono::microseconds high) noexcept {
    const auto span = static_cast<uint64_t>((high - low).count());
    return low
           + std::chrono::microseconds{
             static_cast<int64_t>(bits() % (span + 1))};
  }

private:
  uint64_t state_;
};

} // namespace pulse::simulation
