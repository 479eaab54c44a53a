#include "common/units.hpp"

#include <charconv>
#include <limits>

namespace pulse::apps {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

// The largest first: that is the order in which a text is made.
constexpr unit durations[] = {
  {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr unit sizes[]
  = {{"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"", 1}};

/// @returns whether `text` is a number followed by one of the units.
template <size_t N>
bool read_with_unit(std::string_view text, const unit (&units)[N],
                    uint64_t& out) {
  uint64_t number = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{})
    return false;
  const std::string_view name{rest, static_cast<size_t>(end - rest)};
  for (const auto& x : units) {
    if (x.name != name)
      continue;
    // Chrono's and Redis' numbers are signed.
    constexpr auto limit
      = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (number > limit / x.factor)
      return false;
    out = number * x.factor;
    return true;
  }
  return false;
}

template <size_t N>
std::string
text_with_unit(uint64_t x, const unit (&units)[N], std::string_view zero) {
  if (x == 0)
    return std::string{zero};
  for (const auto& u : units)
    if (x % u.factor == 0)
      return std::to_string(x / u.factor) + std::string{u.name};
  return std::to_string(x);
}

} // namespace

outcome<std::chrono::milliseconds> parse_duration(std::string_view text) {
  uint64_t count = 0;
  if (!read_with_unit(text, durations, count))
    return failure{errc::invalid_option,
                   "expected a duration such as \"500ms\", \"15s\", \"2m\", "
                   "\"1h\" or \"7d\", found \""
                     + std::string{text} + "\""};
  return std::chrono::milliseconds{static_cast<int64_t>(count)};
}

std::string duration_text(std::chrono::milliseconds x) {
  return text_with_unit(static_cast<uint64_t>(x.count()), durations, "0s");
}

outcome<uint64_t> parse_size(std::string_view text) {
  uint64_t bytes = 0;
  if (!read_with_unit(text, sizes, bytes))
    return failure{errc::invalid_option,
                   "expected a size in bytes such as 4096, \"64KiB\", \"8MiB\" "
                   "or \"1GiB\", found \""
                     + std::string{text} + "\""};
  return bytes;
}

std::string size_text(uint64_t x) {
  return text_with_unit(x, sizes, "0");
}

} // namespace pulse::apps
