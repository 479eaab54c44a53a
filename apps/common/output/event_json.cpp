#include "common/output/event_json.hpp"

#include <nlohmann/json.hpp>

#include <tuple>

namespace pulse::apps {

bool is_utf8(std::string_view bytes) {
  try {
    // dump() is what checks a text in this library.
    std::ignore = nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
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
  // Other clients may store any bytes as names and topics. The bytes that are
  // not UTF-8 are replaced.
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace)
         + "\n";
}

} // namespace pulse::apps
