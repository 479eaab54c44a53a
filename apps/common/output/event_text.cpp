#include "common/output/event_text.hpp"

#include <cstdio>
#include <ctime>

namespace pulse::apps {

namespace {

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
}

} // namespace

std::string time_text(event_id x) {
  const auto seconds = static_cast<std::time_t>(x.ms / 1000);
  std::tm parts{};
  // IDs may be anything, also years that no calendar has.
  if (x.ms > 253'402'300'799'999 || gmtime_r(&seconds, &parts) == nullptr)
    return "?";
  char buffer[40];
  const auto used = std::strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%S",
                                  &parts);
  std::snprintf(buffer + used, sizeof(buffer) - used, ".%03uZ",
                static_cast<unsigned>(x.ms % 1000));
  return buffer;
}

std::string escaped(std::string_view text) {
  std::string result;
  append_escaped(result, text);
  return result;
}

std::string text_line(const event& x) {
  std::string line = time_text(x.id());
  line += ' ';
  append_escaped(line, x.stream());
  line += ' ';
  append_to(line, x.id());
  line += ' ';
  append_escaped(line, x.name());
  if (!x.topic().empty()) {
    line += " [";
    append_escaped(line, x.topic());
    line += ']';
  }
  line += ' ';
  append_escaped(line, x.payload());
  line += '\n';
  return line;
}

} // namespace pulse::apps
