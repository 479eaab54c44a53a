#include "pulse/core/nearest.hpp"
#include "pulse/core/options.hpp"

#include <array>

namespace pulse {

namespace {

// The names stand in the order of the enumerators.
constexpr std::array ttl_modes{"absolute", "sliding"};
constexpr std::array full_policies{"reject", "drop_oldest"};
constexpr std::array retention_modes{"check", "change"};
constexpr std::array overflow_policies{"pause", "drop_oldest", "fail"};
constexpr std::array ack_modes{"on_return", "manual", "none"};
constexpr std::array dispatch_modes{"balanced", "broadcast", "keyed"};

template <size_t N, class Enum>
std::string name_of(const std::array<const char*, N>& names, Enum x) {
  const auto i = static_cast<size_t>(x);
  return i < N ? names[i] : "unknown";
}

template <size_t N, class Enum>
status read(const std::array<const char*, N>& names, const char* what,
            std::string_view text, Enum& x) {
  for (size_t i = 0; i < N; ++i) {
    if (text == names[i]) {
      x = static_cast<Enum>(i);
      return {};
    }
  }
  const std::vector<std::string> choices(names.begin(), names.end());
  return failure{errc::invalid_option, "\"" + std::string{text} + "\" is no "
                                         + what + ": expected "
                                         + list_choices(text, choices)};
}

} // namespace

std::string to_string(ttl_mode x) {
  return name_of(ttl_modes, x);
}

std::string to_string(full_policy x) {
  return name_of(full_policies, x);
}

std::string to_string(retention_mode x) {
  return name_of(retention_modes, x);
}

std::string to_string(overflow_policy x) {
  return name_of(overflow_policies, x);
}

std::string to_string(ack_mode x) {
  return name_of(ack_modes, x);
}

std::string to_string(dispatch_mode x) {
  return name_of(dispatch_modes, x);
}

status from_string(std::string_view text, ttl_mode& x) {
  return read(ttl_modes, "ttl mode", text, x);
}

status from_string(std::string_view text, full_policy& x) {
  return read(full_policies, "full policy", text, x);
}

status from_string(std::string_view text, retention_mode& x) {
  return read(retention_modes, "retention mode", text, x);
}

status from_string(std::string_view text, overflow_policy& x) {
  return read(overflow_policies, "overflow policy", text, x);
}

status from_string(std::string_view text, ack_mode& x) {
  return read(ack_modes, "ack mode", text, x);
}

status from_string(std::string_view text, dispatch_mode& x) {
  return read(dispatch_modes, "dispatch mode", text, x);
}

} // namespace pulse
