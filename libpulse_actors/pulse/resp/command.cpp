#include "pulse/resp/command.hpp"

#include <charconv>

namespace pulse::resp {

namespace {

// Texts up to this size are appended together with their header.
constexpr size_t short_text = 64;
constexpr size_t header_size = 24;

// Writes "<kind><number>\r\n". @returns the end.
char* write_header(char* out, char kind, size_t number) {
  *out++ = kind;
  if (number < 10)
    *out++ = static_cast<char>('0' + number);
  else
    out = std::to_chars(out, out + header_size - 3, number).ptr;
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

void append_long(std::string& out, std::string_view text) {
  char header[header_size];
  auto* end = write_header(header, '$', text.size());
  out.append(header, end).append(text).append("\r\n", 2);
}

template <class T>
std::string_view digits(char (&buf)[24], T number) {
  auto* end = std::to_chars(buf, buf + sizeof(buf), number).ptr;
  return {buf, static_cast<size_t>(end - buf)};
}

} // namespace

command_writer& command_writer::begin(size_t args) {
  char header[header_size];
  out_->append(header, write_header(header, '*', args));
  return *this;
}

command_writer& command_writer::arg(std::string_view text) {
  if (text.size() > short_text) {
    append_long(*out_, text);
    return *this;
  }
  char buf[header_size + short_text + 2];
  auto* end = write_header(buf, '$', text.size());
  end += text.copy(end, text.size());
  *end++ = '\r';
  *end++ = '\n';
  out_->append(buf, end);
  return *this;
}

command_writer& command_writer::arg(int64_t number) {
  char buf[24];
  return arg(digits(buf, number));
}

command_writer& command_writer::arg(uint64_t number) {
  char buf[24];
  return arg(digits(buf, number));
}

command_writer& command_writer::arg(event_id id) {
  constexpr size_t most_digits = 20;
  char buf[2 * most_digits + 1];
  auto* end = std::to_chars(buf, buf + most_digits, id.ms).ptr;
  *end++ = '-';
  end = std::to_chars(end, end + most_digits, id.seq).ptr;
  return arg(std::string_view{buf, static_cast<size_t>(end - buf)});
}

} // namespace pulse::resp
