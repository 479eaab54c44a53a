#include "pulse-node/config/node_config.hpp"

#include "pulse/core/nearest.hpp"
#include "pulse/redis/endpoint.hpp"

#include <charconv>

namespace pulse::apps {

namespace {

constexpr std::string_view target_names[] = {"log", "exec", "remote"};
constexpr std::string_view log_levels[] = {"debug", "info", "warning", "error"};

/// Reads one of `names` as an enum that counts them from 0.
template <class Enum, size_t N>
status read_name(std::string_view text, const char* what,
                 const std::string_view (&names)[N], Enum& x) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) {
      x = static_cast<Enum>(i);
      return {};
    }
  return failure{errc::invalid_option,
                 "\"" + std::string{text} + "\" is no " + what + ": expected "
                   + list_choices(text, {std::begin(names), std::end(names)})};
}

} // namespace

std::string to_string(target_kind x) {
  return std::string{target_names[static_cast<size_t>(x)]};
}

status from_string(std::string_view text, target_kind& x) {
  return read_name(text, "target", target_names, x);
}

status from_string(std::string_view text, pulse::log_level& x) {
  return read_name(text, "log level", log_levels, x);
}

outcome<listen_address> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  listen_address result;
  if (colon != std::string_view::npos) {
    const auto port = text.substr(colon + 1);
    const auto* end = port.data() + port.size();
    auto [rest, error] = std::from_chars(port.data(), end, result.port);
    if (error == std::errc{} && rest == end && !port.empty()) {
      result.host = text.substr(0, colon);
      return result;
    }
  }
  return failure{errc::invalid_option,
                 "expected \"host:port\" such as \"127.0.0.1:4700\" or "
                 "\":4700\" (all interfaces), found \""
                   + std::string{text} + "\""};
}

std::string public_url(const std::string& url) {
  auto parsed = parse_endpoint(url);
  return parsed && !parsed->password.empty() ? to_string(*parsed) : url;
}

} // namespace pulse::apps
