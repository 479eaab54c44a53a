#include "pulse/resp/dead_letter_scripts.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <charconv>

namespace pulse::resp {

std::string redrives_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "redrives:" + std::string{sink});
}

namespace {

template <class T>
T number_of(std::string_view text) {
  T result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

void set_field(dead_letter& x, std::string_view field, std::string_view value) {
  if (field == "n")
    x.name = value;
  else if (field == "p")
    x.payload = value;
  else if (field == "t")
    x.topic = value;
  else if (field == "x-id")
    x.origin.id = parse_event_id(value).ok() ? *parse_event_id(value)
                                             : event_id::min();
  else if (field == "x-stream")
    x.origin.stream = value;
  else if (field == "x-sink")
    x.sink = value;
  else if (field == "x-node")
    x.node = value;
  else if (field == "x-reason")
    x.reason = value;
  else if (field == "x-deliveries")
    x.counts.deliveries = number_of<uint32_t>(value);
  else if (field == "x-failures")
    x.counts.failures = number_of<uint32_t>(value);
  else if (field == "x-crashes")
    x.counts.crashes = number_of<uint32_t>(value);
  else if (field == "x-time")
    x.time = std::chrono::milliseconds{number_of<int64_t>(value)};
  else if (field == "x-redrives")
    x.redrives = number_of<uint32_t>(value);
  else if (field == "x-history")
    x.history = value;
}

bool read_letter(cursor& at, dead_letter& x) {
  uint32_t size = 0;
  if (!at.read_array(size) || size != 2)
    return false;
  auto id = read_id(at, "XRANGE");
  if (!id || !at.read_array(size) || size % 2 != 0)
    return false;
  x.id = *id;
  for (; size > 0; size -= 2) {
    std::string_view field;
    std::string_view value;
    if (!at.read_text(field) || !at.read_text(value))
      return false;
    set_field(x, field, value);
  }
  return true;
}

} // namespace

outcome<std::vector<dead_letter>> read_dead_letters(cursor& at) {
  const auto begin = at;
  if (at.is(node_type::error))
    return error_of(at);
  uint32_t size = 0;
  if (!at.read_array(size))
    return unexpected_reply("XRANGE", begin);
  std::vector<dead_letter> result(size);
  for (auto& x : result)
    if (!read_letter(at, x))
      return unexpected_reply("XRANGE", at);
  return result;
}

outcome<redrive_result> read_redrive(cursor& at, std::string& last) {
  const auto begin = at;
  if (at.is(node_type::error))
    return error_of(at);
  uint32_t size = 0;
  redrive_result result;
  if (!at.read_array(size) || size != 4)
    return unexpected_reply("redrive", begin);
  for (auto* x :
       {&result.redriven, &result.skipped_limit, &result.skipped_missing}) {
    auto n = read_number(at, "redrive");
    if (!n)
      return n.error();
    *x = static_cast<uint64_t>(*n);
  }
  std::string_view text;
  if (!at.read_text(text))
    return unexpected_reply("redrive", begin);
  last = text;
  return result;
}

} // namespace pulse::resp
