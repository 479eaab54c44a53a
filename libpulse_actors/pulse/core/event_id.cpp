#include "pulse/core/event_id.hpp"

#include <charconv>

namespace pulse {

namespace {

// Redis accepts decimal digits only: no sign, no blanks, no empty number.
bool parse_number(std::string_view text, uint64_t& out) {
  const auto* last = text.data() + text.size();
  auto [end, code] = std::from_chars(text.data(), last, out);
  return !text.empty() && code == std::errc{} && end == last;
}

void append_number(std::string& out, uint64_t x) {
  char buf[20];
  out.append(buf, std::to_chars(buf, buf + sizeof(buf), x).ptr);
}

} // namespace

event_id event_id::previous() const noexcept {
  if (seq > 0)
    return {ms, seq - 1};
  return ms > 0 ? event_id{ms - 1, max().seq} : min();
}

event_id event_id::next() const noexcept {
  if (seq < max().seq)
    return {ms, seq + 1};
  return ms < max().ms ? event_id{ms + 1, 0} : max();
}

std::string to_string(event_id x) {
  std::string result;
  append_to(result, x);
  return result;
}

void append_to(std::string& out, event_id x) {
  append_number(out, x.ms);
  out += '-';
  append_number(out, x.seq);
}

outcome<event_id> parse_event_id(std::string_view text) {
  event_id result;
  const auto dash = text.find('-');
  const bool ok = parse_number(text.substr(0, dash), result.ms)
                  && (dash == std::string_view::npos
                      || parse_number(text.substr(dash + 1), result.seq));
  if (!ok)
    return failure{errc::invalid_event_id,
                   "\"" + std::string{text}
                     + "\" is no event ID: expected <milliseconds>-<sequence>, "
                       "e.g. 1700000000000-0"};
  return result;
}

} // namespace pulse
