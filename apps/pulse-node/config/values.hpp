#pragma once

#include "pulse-node/config/keys.hpp"

#include <string>
#include <string_view>
#include <vector>

// Single values of a configuration, from and to text: what files write in
// quotes, and what the environment and command lines give.

namespace pulse::apps {

/// Reads a value. Error: `errc::invalid_option` that says what was expected.
status from_text(std::string_view text, std::string& x);
status from_text(std::string_view text, bool& x);
status from_text(std::string_view text, uint32_t& x);
status from_text(std::string_view text, uint64_t& x);
status from_text(std::string_view text, bytes_of<uint64_t> x);
status from_text(std::string_view text, milliseconds& x);
status from_text(std::string_view text, start_position& x);
status from_text(std::string_view text, ttl_mode& x);
status from_text(std::string_view text, full_policy& x);
status from_text(std::string_view text, retention_mode& x);
status from_text(std::string_view text, overflow_policy& x);
status from_text(std::string_view text, ack_mode& x);
status from_text(std::string_view text, dispatch_mode& x);
status from_text(std::string_view text, target_kind& x);
status from_text(std::string_view text, pulse::log_level& x);

/// The value as TOML, such that reading it gives the same value.
std::string toml_text(const std::string& x);
std::string toml_text(bool x);
std::string toml_text(uint32_t x);
std::string toml_text(uint64_t x);
std::string toml_text(bytes_of<const uint64_t> x);
std::string toml_text(milliseconds x);
std::string toml_text(const start_position& x);
std::string toml_text(ttl_mode x);
std::string toml_text(full_policy x);
std::string toml_text(retention_mode x);
std::string toml_text(overflow_policy x);
std::string toml_text(ack_mode x);
std::string toml_text(dispatch_mode x);
std::string toml_text(target_kind x);
std::string toml_text(pulse::log_level x);

template <class T>
std::string toml_text(const std::vector<T>& xs) {
  std::string result = "[";
  for (const auto& x : xs) {
    if (result.size() > 1)
      result += ", ";
    result += toml_text(x);
  }
  return result + "]";
}

} // namespace pulse::apps
