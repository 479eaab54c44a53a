#include "simulation/network/command_reader.hpp"

#include <charconv>

namespace pulse::simulation {

std::optional<size_t> command_reader::read_number(size_t& at) const {
  const auto end = buffer_.find("\r\n", at);
  if (end == std::string::npos)
    return std::nullopt;
  size_t result = 0;
  std::from_chars(buffer_.data() + at + 1, buffer_.data() + end, result);
  at = end + 2;
  return result;
}

std::optional<arguments> command_reader::next() {
  size_t at = 0;
  const auto count = read_number(at);
  if (!count)
    return std::nullopt;
  arguments result;
  for (size_t i = 0; i < *count; ++i) {
    const auto size = read_number(at);
    if (!size || buffer_.size() < at + *size + 2)
      return std::nullopt;
    result.push_back(buffer_.substr(at, *size));
    at += *size + 2;
  }
  buffer_.erase(0, at);
  return result;
}

} // namespace pulse::simulation
