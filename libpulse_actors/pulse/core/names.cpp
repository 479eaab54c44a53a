#include "pulse/core/names.hpp"

namespace pulse {

namespace {

// @returns what is wrong with a byte of a name; nullptr if the byte is allowed.
const char* objection(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == ' ')
    return "a space";
  if (byte < 0x20 || byte == 0x7f)
    return "a control character";
  switch (c) {
    case '*':
      return "a \"*\"";
    case '?':
      return "a \"?\"";
    case '[':
      return "a \"[\"";
    case ']':
      return "a \"]\"";
    default:
      return nullptr;
  }
}

// @returns the name, quoted, shortened and without control characters, so that
// it can appear in a log line.
std::string shown(std::string_view name) {
  constexpr size_t max_shown = 40;
  std::string result = "\"";
  for (auto c : name.substr(0, max_shown)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? '.' : c;
  }
  return result + (name.size() > max_shown ? "...\"" : "\"");
}

failure bad_name(std::string_view what, std::string_view name,
                 const std::string& why) {
  return {errc::invalid_name,
          std::string{what} + " " + shown(name) + " " + why
            + ": use 1 to 512 bytes without space, control character, *, ?, "
              "[ or ]"};
}

// Crockford's alphabet, which ULIDs use too: the texts sort like the numbers.
void append_base32(std::string& out, uint64_t value, int digits) {
  static constexpr char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (int i = digits - 1; i >= 0; --i)
    out += alphabet[(value >> (5 * i)) & 31];
}

} // namespace

status check_name(std::string_view what, std::string_view name) {
  if (name.empty())
    return bad_name(what, name, "is empty");
  for (size_t i = 0; i < name.size(); ++i)
    if (auto* bad = objection(name[i]))
      return bad_name(what, name,
                      std::string{"has "} + bad + " at byte "
                        + std::to_string(i));
  if (name.size() > max_name_size)
    return bad_name(what, name,
                    "has " + std::to_string(name.size())
                      + " bytes, too many from byte "
                      + std::to_string(max_name_size) + " on");
  return {};
}

std::string stream_key(std::string_view stream) {
  return "pulse:stream:" + std::string{stream};
}

std::string dead_letter_stream(std::string_view stream, std::string_view sink) {
  return std::string{stream} + ":dead:" + std::string{sink};
}

status check_dead_letter_sink(std::string_view sink) {
  if ((":" + std::string{sink}).find(":dead:") == std::string::npos)
    return {};
  return failure{errc::invalid_name,
                 "sink name " + shown(sink)
                   + " contains \":dead:\" or starts with \"dead:\", so that "
                     "another sink could have the same dead letter stream: use "
                     "another name, or dead_letter = false"};
}

std::string metadata_key(std::string_view stream, std::string_view what) {
  return "{" + stream_key(stream) + "}:" + std::string{what};
}

std::string retention_key(std::string_view stream) {
  return metadata_key(stream, "retention");
}

std::string consumer_name(std::string_view host, int64_t pid, uint64_t now_ms,
                          uint64_t random_high, uint64_t random_low) {
  auto result = std::string{host} + "." + std::to_string(pid) + ".";
  append_base32(result, now_ms, 10);
  append_base32(result, random_high, 8);
  append_base32(result, random_low, 8);
  return result;
}

} // namespace pulse
