#include "pulse/core/delivery/partition.hpp"

#include <string>

namespace pulse {

namespace {

// The largest prime below 2^32. Numbers of Lua are exact up to 2^53, so each
// product must stay below that.
constexpr uint64_t modulus = 4'294'967'291;

size_t partition_of_text(std::string_view text) {
  uint64_t hash = 0;
  for (auto c : text)
    hash = (hash * 31 + static_cast<unsigned char>(c)) % modulus;
  // Similar names are near to each other up to here. The two factors were
  // chosen because they spread numbered names evenly.
  hash = hash * 1'000'709 % modulus * 1'367'319 % modulus;
  return static_cast<size_t>(hash * partition_count / modulus);
}

} // namespace

size_t partition_of(std::string_view topic, event_id id) {
  return partition_of_text(topic.empty() ? to_string(id) : topic);
}

} // namespace pulse
