#pragma once

#include <cstdint>
#include <string_view>

namespace pulse {

/// Makes short texts no two of which are alike, in this process or any other:
/// 8 characters that stand for its seed, then a number. Letters and digits.
class unique_ids {
public:
  /// @param seed Random; 47 bits of it count.
  explicit unique_ids(uint64_t seed) noexcept;

  /// @returns the next one; valid until the next call.
  std::string_view next() noexcept;

private:
  static constexpr unsigned prefix_size = 8;

  // Room for the 11 digits of the largest number.
  char text_[prefix_size + 11];
  uint64_t counter_ = 0;
};

} // namespace pulse
