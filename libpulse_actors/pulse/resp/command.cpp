#include "pulse/resp/command.hpp"

#include <charconv>

namespace pulse::resp {

namespace {

template <class T>
void append_header(std::string& out, char kind, T number) {
  char buf[24];
  out += kind;
  out.append(buf, std::to_chars(buf, buf + sizeof(buf), number).ptr);
  out += "\r\n";
}

template <class T>
std::string_view digits(char (&buf)[24], T number) {
  auto* end = std::to_chars(buf, buf + sizeof(buf), number).ptr;
  return {buf, static_cast<size_t>(end - buf)};
}

} // namespace

command_writer& command_writer::begin(size_t args) {
  append_header(*out_, '*', args);
  return *this;
}

command_writer& command_writer::arg(std::string_view text) {
  append_header(*out_, '$', text.size());
  out_->append(text);
  *out_ += "\r\n";
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
