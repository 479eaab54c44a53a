#include "chaos/checker/history.hpp"

#include <charconv>

namespace pulse::chaos {

std::string history::label(uint32_t event) const {
  for (const auto& x : producers)
    if (event >= x.first && event - x.first < x.count)
      return x.name + ":" + std::to_string(event - x.first);
  return "?";
}

uint32_t history::find(std::string_view label) const {
  const auto colon = label.find(':');
  if (colon == std::string_view::npos)
    return nobody;
  const auto name = label.substr(0, colon);
  const auto number = label.substr(colon + 1);
  uint32_t n = 0;
  const auto* stop = number.data() + number.size();
  if (auto [at, error] = std::from_chars(number.data(), stop, n);
      error != std::errc{} || at != stop)
    return nobody;
  for (const auto& x : producers)
    if (x.name == name)
      return n < x.count ? x.first + n : nobody;
  return nobody;
}

std::vector<uint32_t> history::topics() const {
  std::vector<uint32_t> result;
  result.reserve(adds.size());
  for (const auto& x : producers)
    for (uint32_t i = 0; i < x.count; ++i)
      result.push_back(i % how.keys);
  return result;
}

} // namespace pulse::chaos
