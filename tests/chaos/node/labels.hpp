#pragma once

#include <string>
#include <string_view>

namespace pulse::chaos {

/// @returns the payload of an event: its label, or a payload of `size` bytes
/// that begins and ends with the label.
inline std::string payload_of(const std::string& label, size_t size) {
  if (size <= 2 * label.size() + 2)
    return label;
  auto result = label + ' ';
  result.resize(size - label.size() - 1, 'x');
  return result + ' ' + label;
}

/// @returns the label of an event. A payload that lost its end has a label that
/// the checker does not know.
inline std::string label_of(std::string_view payload) {
  const auto end = payload.find(' ');
  std::string label{payload.substr(0, end)};
  if (end == std::string_view::npos
      || payload.substr(payload.rfind(' ') + 1) == label)
    return label;
  return label + "(damaged)";
}

} // namespace pulse::chaos
