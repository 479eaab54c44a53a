#pragma once

#include <cstdint>
#include <string_view>

namespace pulse {

/// Creates short texts that are unique in this process and in all others: 8
/// characters that encode the random seed, then a number. The texts have
/// letters and digits only.
class unique_ids {
public:
  /// @param seed A random number; 47 bits of it are used.
  explicit unique_ids(uint64_t seed) noexcept;

  /// @returns the next text. It is valid until the next call.
  std::string_view next() noexcept;

private:
  static constexpr unsigned prefix_size = 8;

  // The largest number has 11 digits.
  char text_[prefix_size + 11];
  uint64_t counter_ = 0;
};

} // namespace pulse
