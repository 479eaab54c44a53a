#include "pulse-node/config/values.hpp"

#include "common/units.hpp"

#include <charconv>
#include <type_traits>

namespace pulse::apps {

namespace {

template <class T>
status assign(outcome<T> from, T& to) {
  if (!from)
    return from.error();
  to = std::move(*from);
  return {};
}

template <class Number>
status number_from_text(std::string_view text, Number& x) {
  const auto* end = text.data() + text.size();
  Number value = 0;
  auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end)
    return failure{errc::invalid_option,
                   "expected a number from 0 to "
                     + std::to_string(std::numeric_limits<Number>::max())
                     + ", found \"" + std::string{text} + "\""};
  x = value;
  return {};
}

std::string quoted(std::string_view x) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : x) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      result += "\\u00";
      result += hex[byte >> 4];
      result += hex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

} // namespace

status from_text(std::string_view text, std::string& x) {
  x = text;
  return {};
}

status from_text(std::string_view text, bool& x) {
  if (text != "true" && text != "false")
    return failure{errc::invalid_option, "expected true or false, found \""
                                           + std::string{text} + "\""};
  x = text == "true";
  return {};
}

status from_text(std::string_view text, uint32_t& x) {
  return number_from_text(text, x);
}

status from_text(std::string_view text, uint64_t& x) {
  return number_from_text(text, x);
}

status from_text(std::string_view text, bytes_of<uint64_t> x) {
  return assign(parse_size(text), x.value);
}

status from_text(std::string_view text, milliseconds& x) {
  return assign(parse_duration(text), x);
}

status from_text(std::string_view text, start_position& x) {
  return assign(parse_start_position(text), x);
}

status from_text(std::string_view text, ttl_mode& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, full_policy& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, retention_mode& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, overflow_policy& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, ack_mode& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, dispatch_mode& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, target_kind& x) {
  return from_string(text, x);
}

status from_text(std::string_view text, pulse::log_level& x) {
  return from_string(text, x);
}

std::string toml_text(const std::string& x) {
  return quoted(x);
}

std::string toml_text(bool x) {
  return x ? "true" : "false";
}

std::string toml_text(uint32_t x) {
  return std::to_string(x);
}

std::string toml_text(uint64_t x) {
  return std::to_string(x);
}

std::string toml_text(bytes_of<const uint64_t> x) {
  return quoted(size_text(x.value));
}

std::string toml_text(milliseconds x) {
  return quoted(duration_text(x));
}

std::string toml_text(const start_position& x) {
  return quoted(x.kind == start_kind::after ? to_string(x.id) : to_string(x));
}

std::string toml_text(ttl_mode x) {
  return quoted(to_string(x));
}

std::string toml_text(full_policy x) {
  return quoted(to_string(x));
}

std::string toml_text(retention_mode x) {
  return quoted(to_string(x));
}

std::string toml_text(overflow_policy x) {
  return quoted(to_string(x));
}

std::string toml_text(ack_mode x) {
  return quoted(to_string(x));
}

std::string toml_text(dispatch_mode x) {
  return quoted(to_string(x));
}

std::string toml_text(target_kind x) {
  return quoted(to_string(x));
}

std::string toml_text(pulse::log_level x) {
  return quoted(to_string(x));
}

} // namespace pulse::apps
