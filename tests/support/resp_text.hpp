#pragma once

#include "pulse/resp/decoder.hpp"

#include <charconv>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

// Commands and replies as texts.

namespace pulse::test {

/// A command as its arguments.
using argv = std::vector<std::string>;

/// Parses commands in the format of command_writer; fails the test on any other
/// input.
inline std::vector<argv> decode_commands(const std::string& bytes) {
  size_t pos = 0;
  auto read_number = [&](char kind) {
    size_t result = 0;
    const auto end = bytes.find("\r\n", pos);
    if (end == std::string::npos || bytes[pos] != kind)
      CAF_FAIL("no RESP command at byte " << pos << ": " << bytes);
    std::from_chars(bytes.data() + pos + 1, bytes.data() + end, result);
    pos = end + 2;
    return result;
  };
  std::vector<argv> result;
  while (pos < bytes.size()) {
    auto& command = result.emplace_back(read_number('*'));
    for (auto& arg : command) {
      const auto size = read_number('$');
      arg = bytes.substr(pos, size);
      pos += size + 2;
    }
  }
  return result;
}

/// "XADD key * n x": for messages and comparisons.
inline std::string to_text(const argv& command) {
  std::string result;
  for (auto& arg : command)
    result.append(result.empty() ? "" : " ").append(arg);
  return result;
}

/// Parses one or several replies; fails the test if the last one is incomplete.
inline resp::reply parse_reply(const std::string& text) {
  resp::reply result;
  resp::decoder decoder;
  std::string_view rest{text};
  while (!rest.empty())
    if (auto complete = decoder.next(rest, result); !complete)
      CAF_FAIL(complete.error().what << ": " << text);
  if (decoder.has_part())
    CAF_FAIL("a reply is incomplete: " << text);
  return result;
}

} // namespace pulse::test
