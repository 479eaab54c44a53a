#include "pulse/resp/decoder.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace pulse::resp {

namespace {

// The largest bulk string that a node can describe without doubt.
constexpr uint64_t max_supported_bulk = 1ull << 30;

// How many of the first bytes of a peer that is no Redis an error text shows.
constexpr size_t max_shown = 48;

// A length has at most 19 digits, so its line is shorter than this.
constexpr size_t max_length_line = 32;

// Every text of Redis ends with these bytes.
constexpr std::string_view line_end = "\r\n";

// A string that grows may reserve twice what it needs. Replies are kept as long
// as their events, so such a reserve of a large reply is given back.
constexpr size_t max_reserve = 1u << 20;

// A reply that has grown to this size probably takes the other bytes as well
// that have arrived.
constexpr size_t large_reply = 4u << 10;

std::string printable(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result = "\"";
  for (auto c : bytes.substr(0, max_shown)) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\r')
      result += "\\r";
    else if (c == '\n')
      result += "\\n";
    else if (c == '"' || c == '\\')
      result.append(1, '\\').append(1, c);
    else if (u >= 0x20 && u < 0x7f)
      result += c;
    else
      result.append("\\x").append(1, digits[u >> 4]).append(1, digits[u & 15]);
  }
  result += '"';
  if (bytes.size() > max_shown)
    result += "...";
  return result;
}

// Returns whether a byte begins an alert or a handshake of TLS.
bool is_tls(char c) {
  return c == '\x15' || c == '\x16';
}

bool starts_a_reply(char c) {
  return c == '$' || c == '*' || c == ':' || c == '+' || c == '-';
}

bool parse(std::string_view digits, int64_t& into) {
  const auto* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, into);
  return error == std::errc{} && stop == end;
}

// Reads "$12\r\n" or "*3\r\n" with a length above 0 and at most 8 digits.
// Returns where the line ends; null for all other bytes.
const char* read_header(const char* at, const char* end, uint32_t& size) {
  constexpr std::ptrdiff_t most_digits = 8;
  if (end - at < 4 || (*at != '$' && *at != '*'))
    return nullptr;
  const auto* const first = at + 1;
  const auto* const last = first + std::min(end - first, most_digits);
  const auto* i = first;
  for (; i != last; ++i) {
    const auto digit = static_cast<unsigned char>(*i - '0');
    if (digit > 9)
      break;
    size = size * 10 + digit;
  }
  const bool is_whole = end - i >= 2 && i[0] == '\r' && i[1] == '\n';
  return is_whole && size > 0 ? i + line_end.size() : nullptr;
}

size_t find_line_end(std::string_view bytes) {
  for (auto i = bytes.find('\r'); i != std::string_view::npos;
       i = bytes.find('\r', i + 1))
    if (i + 1 < bytes.size() && bytes[i + 1] == '\n')
      return i;
  return std::string_view::npos;
}

// Appends the first `size` bytes of what has arrived.
void append(std::string& to, std::string_view bytes, size_t size) {
  if (to.capacity() - to.size() < size && to.size() >= large_reply)
    to.reserve(std::max(2 * to.capacity(), to.size() + bytes.size()));
  to.append(bytes.data(), size);
}

} // namespace

decoder::decoder(const decoder_limits& limits) : limits_(limits) {
  limits_.max_bulk_bytes = std::min(limits.max_bulk_bytes, max_supported_bulk);
}

outcome<bool> decoder::next(std::string_view& bytes, reply& out) {
  if (!why_.empty())
    return broken();
  if (!has_part())
    begin(bytes, out);
  while (!bytes.empty() && !complete_) {
    if (!take_part(bytes, out)) {
      out.nodes.resize(first_node_);
      out.bytes.resize(first_byte_);
      return broken();
    }
    if (!complete_ && is_between_elements())
      take_whole_elements(bytes, out);
  }
  if (!std::exchange(complete_, false))
    return false;
  ++out.count;
  is_first_ = false;
  if (out.bytes.capacity() - out.bytes.size() > max_reserve)
    out.bytes.shrink_to_fit();
  return true;
}

void decoder::begin(std::string_view bytes, const reply& out) {
  first_node_ = out.nodes.size();
  first_byte_ = out.bytes.size();
  if (is_first_)
    start_ = bytes.substr(0, max_shown + 1);
}

// Does for arrays and bulk strings what take_part() does, if they are complete
// and exceed no limit. Most bytes of large replies are such elements.
void decoder::take_whole_elements(std::string_view& bytes, reply& out) {
  const auto* at = bytes.data();
  const auto* const end = at + bytes.size();
  while (!complete_ && out.nodes.size() - first_node_ < limits_.max_nodes) {
    uint32_t size = 0;
    const auto* content = read_header(at, end, size);
    if (content == nullptr)
      break;
    if (*at == '*') {
      if (size > limits_.max_elements || depth_ == max_depth)
        break;
      out.nodes.push_back({node_type::array, size, 0});
      missing_[depth_++] = size;
      at = content;
      continue;
    }
    const auto position = out.bytes.size();
    if (size > limits_.max_bulk_bytes
        || position - first_byte_ + size > limits_.max_reply_bytes
        || static_cast<size_t>(end - content) < size + line_end.size()
        || content[size] != '\r' || content[size + 1] != '\n')
      break;
    append(out.bytes, {content, static_cast<size_t>(end - content)}, size);
    out.nodes.push_back(
      {node_type::string, size, static_cast<int64_t>(position)});
    at = content + size + line_end.size();
    end_element();
  }
  bytes.remove_prefix(static_cast<size_t>(at - bytes.data()));
}

bool decoder::take_part(std::string_view& bytes, reply& out) {
  if (bulk_left_ > 0)
    return take_text(bytes, out);
  return line_.empty() ? take_line(bytes, out) : continue_line(bytes, out);
}

// -- bulk strings -------------------------------------------------------------

bool decoder::take_text(std::string_view& bytes, reply& out) {
  if (bulk_left_ > line_end.size()) {
    const auto size = std::min<uint64_t>(bulk_left_ - line_end.size(),
                                         bytes.size());
    append(out.bytes, bytes, size);
    bytes.remove_prefix(size);
    bulk_left_ -= size;
  }
  for (; bulk_left_ > 0 && bulk_left_ <= line_end.size() && !bytes.empty();
       --bulk_left_) {
    if (bytes.front() != line_end[line_end.size() - bulk_left_])
      return refuse(R"(a bulk string does not end with "\r\n")");
    bytes.remove_prefix(1);
  }
  if (bulk_left_ == 0)
    end_element();
  return true;
}

// -- lines --------------------------------------------------------------------

bool decoder::take_line(std::string_view& bytes, reply& out) {
  if (!starts_a_reply(bytes.front()))
    return refuse("a reply begins with a byte that is no type of RESP2");
  const auto end = find_line_end(bytes);
  if (end == std::string_view::npos)
    return continue_line(bytes, out);
  const auto line = bytes.substr(0, end);
  bytes.remove_prefix(end + line_end.size());
  return apply(line, out);
}

// Both bytes of the end may be in different pieces.
bool decoder::continue_line(std::string_view& bytes, reply& out) {
  for (auto end = bytes.find('\n'); end != std::string_view::npos;
       end = bytes.find('\n')) {
    line_.append(bytes.data(), end);
    bytes.remove_prefix(end + 1);
    if (!line_.empty() && line_.back() == '\r') {
      auto line = std::exchange(line_, {});
      line.pop_back();
      return apply(line, out);
    }
    line_ += '\n';
  }
  line_.append(bytes);
  bytes = {};
  return line_may_go_on();
}

// Refuses an incomplete line at once if it will exceed a limit.
bool decoder::line_may_go_on() {
  const auto type = line_.front();
  const auto size = line_.size() - 1 - (line_.back() == '\r' ? 1 : 0);
  if (type == '$' && size >= max_length_line)
    return refuse("the length of a bulk string has no end");
  return size <= limits_.max_line_bytes
         || refuse("a line without end", size, "max_line_bytes",
                   limits_.max_line_bytes);
}

bool decoder::apply(std::string_view line, reply& out) {
  const auto type = line.front();
  line.remove_prefix(1);
  if (line.size() > limits_.max_line_bytes)
    return refuse("a line", line.size(), "max_line_bytes",
                  limits_.max_line_bytes);
  switch (type) {
    case '$':
      return open_text(line, out);
    case '*':
      return open_array(line, out);
    case ':':
      return add_integer(line, out);
    case '+':
      return add_line(node_type::status, line, out);
    default:
      return add_line(node_type::error, line, out);
  }
}

// -- elements -----------------------------------------------------------------

bool decoder::open_array(std::string_view digits, reply& out) {
  int64_t size = 0;
  if (!parse(digits, size) || size < -1)
    return refuse("the length of an array is no number from -1 up");
  if (size > int64_t{limits_.max_elements})
    return refuse("an array", static_cast<uint64_t>(size), "max_elements",
                  limits_.max_elements);
  if (size > 0 && depth_ == max_depth)
    return refuse("arrays are nested to a depth of more than "
                  + std::to_string(max_depth));
  const auto count = static_cast<uint32_t>(std::max<int64_t>(size, 0));
  if (!add(size < 0 ? node{} : node{node_type::array, count, 0}, out))
    return false;
  if (count > 0)
    missing_[depth_++] = count;
  else
    end_element();
  return true;
}

bool decoder::open_text(std::string_view digits, reply& out) {
  int64_t announced = 0;
  if (digits.size() >= max_length_line || !parse(digits, announced)
      || announced < -1)
    return refuse("the length of a bulk string is no number from -1 up");
  if (announced < 0) {
    end_element();
    return add({}, out);
  }
  const auto size = static_cast<uint64_t>(announced);
  if (size > limits_.max_bulk_bytes)
    return refuse("a bulk string", size, "max_bulk_bytes",
                  limits_.max_bulk_bytes);
  bulk_left_ = size + line_end.size();
  return text_fits(size, out)
         && add({node_type::string, static_cast<uint32_t>(size),
                 static_cast<int64_t>(out.bytes.size())},
                out);
}

bool decoder::add_integer(std::string_view digits, reply& out) {
  int64_t value = 0;
  if (!parse(digits, value))
    return refuse("an integer is no number of 64 bits");
  end_element();
  return add({node_type::integer, 0, value}, out);
}

bool decoder::add_line(node_type type, std::string_view text, reply& out) {
  if (!text_fits(text.size(), out))
    return false;
  const auto position = static_cast<int64_t>(out.bytes.size());
  append(out.bytes, text, text.size());
  end_element();
  return add({type, static_cast<uint32_t>(text.size()), position}, out);
}

bool decoder::add(const node& x, reply& out) {
  const auto nodes = out.nodes.size() - first_node_;
  if (nodes >= limits_.max_nodes)
    return refuse("a number of nodes", nodes + 1, "max_nodes",
                  limits_.max_nodes);
  out.nodes.push_back(x);
  return true;
}

// This limit is an option of the user, and a good peer may exceed it.
bool decoder::text_fits(uint64_t size, const reply& out) {
  const auto total = out.bytes.size() - first_byte_ + size;
  if (total <= limits_.max_reply_bytes)
    return true;
  is_too_large_ = true;
  return refuse("a reply with a size", total, "max_reply_bytes",
                limits_.max_reply_bytes);
}

// -- failures -----------------------------------------------------------------

bool decoder::refuse(std::string why) {
  why_ = std::move(why);
  return false;
}

bool decoder::refuse(const char* what, uint64_t seen, const char* option,
                     uint64_t limit) {
  return refuse(std::string{what} + " of " + std::to_string(seen)
                + " exceeds the limit " + option + " = "
                + std::to_string(limit));
}

failure decoder::broken() const {
  // Bytes of a later reply may be those of a payload, so no text has them.
  if (is_first_ && !start_.empty() && !starts_a_reply(start_.front()))
    return {errc::protocol_error,
            (is_tls(start_.front())
               ? "the peer speaks TLS: use rediss:// in the URL; it sent "
               : "the peer is no Redis server: check host and port; it sent ")
              + printable(start_)};
  if (is_too_large_)
    return {errc::payload_too_large,
            why_
              + "; raise this option of the connection, or ask for less at "
                "once"};
  return {errc::protocol_error, "the peer broke the protocol: " + why_};
}

} // namespace pulse::resp
