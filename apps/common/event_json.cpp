#include "common/event_json.hpp"

#include <nlohmann/json.hpp>

namespace pulse::apps {

namespace {

/// Number of continuation bytes after `lead`, and the lowest code point that
/// may be written that long; -1 if `lead` cannot lead.
int continuation(unsigned char lead, uint32_t& lowest) noexcept {
  if (lead < 0x80) {
    lowest = 0;
    return 0;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    lowest = 0x80;
    return 1;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    lowest = 0x800;
    return 2;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    lowest = 0x10000;
    return 3;
  }
  return -1;
}

} // namespace

bool is_utf8(std::string_view bytes) noexcept {
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i++]);
    uint32_t lowest = 0;
    const int more = continuation(lead, lowest);
    if (more < 0 || bytes.size() - i < static_cast<size_t>(more))
      return false;
    uint32_t code = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more; ++k) {
      const auto byte = static_cast<unsigned char>(bytes[i++]);
      if ((byte & 0xC0) != 0x80)
        return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    if (code < lowest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      return false;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr char digits[]
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8
              | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k])
                                      : 0u);
    for (size_t k = 0; k < 4; ++k)
      result += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63]
                                      : '=';
  }
  return result;
}

std::string json_line(const event& x, const event_context& context) {
  nlohmann::ordered_json line;
  line["stream"] = x.stream();
  line["id"] = to_string(x.id());
  line["name"] = x.name();
  line["topic"] = x.topic();
  if (is_utf8(x.payload()))
    line["payload"] = x.payload();
  else
    line["payload_base64"] = base64(x.payload());
  if (context.reader.empty()) {
    if (!x.sink().empty()) {
      line["sink"] = x.sink();
      line["deliveries"] = x.counts().deliveries;
    }
  } else {
    line["reader"] = context.reader;
  }
  if (!context.node.empty())
    line["node"] = context.node;
  // Names and topics of other clients may be anything: what is no UTF-8 in
  // them is replaced.
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace)
         + "\n";
}

} // namespace pulse::apps
