#include "pulse/core/streams/unique_ids.hpp"

namespace pulse {

namespace {

constexpr char digits[]
  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr uint64_t base = sizeof(digits) - 1;

} // namespace

unique_ids::unique_ids(uint64_t seed) noexcept {
  for (unsigned i = 0; i < prefix_size; ++i, seed /= base)
    text_[i] = digits[seed % base];
}

std::string_view unique_ids::next() noexcept {
  auto end = text_ + prefix_size;
  auto rest = counter_++;
  do {
    *end++ = digits[rest % base];
    rest /= base;
  } while (rest > 0);
  return {text_, static_cast<size_t>(end - text_)};
}

} // namespace pulse
