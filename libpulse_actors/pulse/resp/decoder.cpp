// The reader of hiredis 0.14 parses well, but trusts every length that its peer
// announces. It would reserve 16 GB for a header of 13 bytes, buffer lines and
// strings without a limit, and accept a bulk string that does not end with
// "\r\n". So this file uses callbacks of its own, which build flat replies and
// enforce limits, and it checks the bytes that the reader has not parsed yet.

#include "pulse/resp/decoder.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <string>

namespace pulse::resp {

namespace {

// The largest length that a peer may announce. The indexes of hiredis overflow
// for longer strings.
constexpr uint64_t max_supported_bulk = 1ull << 30;

// How many of the first bytes of a peer that is no Redis an error text shows.
constexpr size_t max_shown = 48;

// A line with a length is "$" and at most 10 digits, so it is shorter than
// this.
constexpr size_t max_length_line = 32;

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

// A string that grows may reserve twice what it needs. Replies are kept as long
// as their events, so such a reserve of a large reply is given back.
constexpr size_t max_reserve = 1u << 20;

// Returns whether a byte begins an alert or a handshake of TLS.
bool is_tls(char c) {
  return c == '\x15' || c == '\x16';
}

bool starts_a_reply(char c) {
  return c != '\0' && std::strchr("+-:$*", c) != nullptr;
}

} // namespace

struct decoder::impl {
  explicit impl(const decoder_limits& x) : limits(x) {
    limits.max_bulk_bytes = std::min(limits.max_bulk_bytes, max_supported_bulk);
    reader = redisReaderCreateWithFunctions(&functions);
    if (reader == nullptr)
      throw std::bad_alloc{};
    reader->privdata = this;
  }

  ~impl() {
    redisReaderFree(reader);
  }

  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  // -- callbacks of the reader, in preorder -----------------------------------

  // hiredis treats null as a failure, and does not use any other pointer.
  void* accept(const node& x) {
    if (partial.nodes.size() >= limits.max_nodes)
      return refuse("a number of nodes", partial.nodes.size() + 1, "max_nodes",
                    limits.max_nodes);
    partial.nodes.push_back(x);
    return this;
  }

  void* refuse(const char* what, uint64_t seen, const char* option,
               uint64_t limit) {
    why = std::string{what} + " of " + std::to_string(seen)
          + " exceeds the limit " + option + " = " + std::to_string(limit);
    return nullptr;
  }

  // This limit is an option of the user, and a good peer may exceed it.
  void* refuse_total(uint64_t seen) {
    is_too_large = true;
    return refuse("a reply with a size", seen, "max_reply_bytes",
                  limits.max_reply_bytes);
  }

  // No exception may pass through the frames of hiredis.
  template <class F>
  static void* guarded(const redisReadTask* task, F add) noexcept {
    auto& self = *static_cast<impl*>(task->privdata);
    try {
      return add(self);
    } catch (const std::exception&) {
      self.why = "this process has not enough memory";
      return nullptr;
    }
  }

  static void* on_string(const redisReadTask* task, char* str, size_t size) {
    return guarded(task, [=](impl& self) {
      const std::string_view text{str, size};
      if (task->type == REDIS_REPLY_STRING)
        return self.add_bulk(text);
      return self.add_line(task->type == REDIS_REPLY_STATUS ? node_type::status
                                                            : node_type::error,
                           text);
    });
  }

  void* add_bulk(std::string_view text) {
    // The reader has checked that two more bytes exist, but not their values.
    const std::string_view end{text.data() + text.size(), 2};
    if (end != "\r\n") {
      why = R"(a bulk string does not end with "\r\n")";
      return nullptr;
    }
    if (!bulk_fits(text.size()))
      return nullptr;
    return add_text(node_type::string, text);
  }

  void* add_line(node_type type, std::string_view text) {
    if (text.size() > limits.max_line_bytes)
      return refuse("a line", text.size(), "max_line_bytes",
                    limits.max_line_bytes);
    return add_text(type, text);
  }

  void* add_text(node_type type, std::string_view text) {
    const auto position = partial.bytes.size();
    if (position + text.size() > limits.max_reply_bytes)
      return refuse_total(position + text.size());
    partial.bytes.append(text);
    return accept({type, static_cast<uint32_t>(text.size()),
                   static_cast<int64_t>(position)});
  }

  static void* on_array(const redisReadTask* task, int elements) {
    return guarded(task, [=](impl& self) {
      const auto size = static_cast<uint32_t>(elements);
      if (size > self.limits.max_elements)
        return self.refuse("an array", size, "max_elements",
                           self.limits.max_elements);
      return self.accept({node_type::array, size, 0});
    });
  }

  static void* on_integer(const redisReadTask* task, long long value) {
    return guarded(task, [=](impl& self) {
      return self.accept({node_type::integer, 0, value});
    });
  }

  static void* on_nil(const redisReadTask* task) {
    return guarded(task, [](impl& self) { return self.accept({}); });
  }

  static void on_free(void*) {
    // nop
  }

  // -- bytes that the reader has not parsed yet -------------------------------

  // Refuses an incomplete line or bulk string at once if it will exceed a
  // limit. The reader has consumed the type byte, and keeps the other bytes in
  // its buffer.
  bool rest_is_acceptable() {
    if (reader->ridx < 0)
      return true;
    const std::string_view rest{reader->buf + reader->pos,
                                reader->len - reader->pos};
    if (reader->rstack[reader->ridx].type == REDIS_REPLY_STRING)
      return announcement_is_acceptable(rest);
    // The last byte may be the "\r" of the end of the line.
    return rest.size() <= limits.max_line_bytes + 1ull
           || refuse("a line without end", rest.size(), "max_line_bytes",
                     limits.max_line_bytes);
  }

  bool announcement_is_acceptable(std::string_view rest) {
    const auto end = rest.substr(0, max_length_line).find("\r\n");
    if (end != std::string_view::npos) {
      // The reader has checked that the text is a number and not negative.
      uint64_t size = 0;
      std::from_chars(rest.data(), rest.data() + end, size);
      return bulk_fits(size);
    }
    if (rest.size() < max_length_line)
      return true;
    why = "the length of a bulk string has no end";
    return false;
  }

  bool bulk_fits(uint64_t size) {
    if (size > limits.max_bulk_bytes)
      return refuse("a bulk string", size, "max_bulk_bytes",
                    limits.max_bulk_bytes);
    const auto total = partial.bytes.size() + size;
    return total <= limits.max_reply_bytes || refuse_total(total);
  }

  // -- results ----------------------------------------------------------------

  // Copies the next bytes for error texts. This must happen before the reader
  // parses, because it drops its buffer after an error.
  void remember_what_comes() {
    start_size = std::min(reader->len - reader->pos, sizeof(start));
    std::memcpy(start, reader->buf + reader->pos, start_size);
    is_first = num_replies == 0 && reader->ridx < 0;
  }

  failure broken() {
    if (!failed) {
      failed = true;
      const std::string_view bytes{start, start_size};
      // Bytes of a later reply may be those of a payload, so no text has them.
      if (is_first && !bytes.empty() && !starts_a_reply(bytes.front()))
        error_text = (is_tls(bytes.front())
                        ? "the peer speaks TLS: use rediss:// in the URL; it "
                          "sent "
                        : "the peer is no Redis server: check host and port; "
                          "it sent ")
                     + printable(bytes);
      else if (is_too_large)
        error_text = why
                     + "; raise this option of the connection, or ask for less "
                       "at once";
      else
        error_text = "the peer broke the protocol: "
                     + (why.empty() ? reader->errstr : why);
    }
    return {is_too_large ? errc::payload_too_large : errc::protocol_error,
            error_text};
  }

  void move_to(reply& out) {
    ++num_replies;
    ++out.count;
    if (out.nodes.empty() && out.bytes.empty()) {
      if (partial.bytes.capacity() - partial.bytes.size() > max_reserve)
        partial.bytes.shrink_to_fit();
      out.nodes.swap(partial.nodes);
      out.bytes.swap(partial.bytes);
      return;
    }
    const auto offset = static_cast<int64_t>(out.bytes.size());
    out.bytes += partial.bytes;
    for (auto x : partial.nodes) {
      if (x.type == node_type::string || x.type == node_type::status
          || x.type == node_type::error)
        x.value += offset;
      out.nodes.push_back(x);
    }
    partial.bytes.clear();
    partial.nodes.clear();
  }

  static redisReplyObjectFunctions functions;

  decoder_limits limits;
  redisReader* reader;
  // The reply that is being parsed.
  reply partial;
  // The reason why a callback or a limit refused the reply.
  std::string why;
  bool failed = false;
  std::string error_text;
  // The first bytes that the last call of next() parsed.
  char start[max_shown + 1];
  size_t start_size = 0;
  // Whether they are the first bytes of the first reply.
  bool is_first = true;
  uint64_t num_replies = 0;
  bool is_too_large = false;
};

redisReplyObjectFunctions decoder::impl::functions = {
  &impl::on_string, &impl::on_array, &impl::on_integer,
  &impl::on_nil,    &impl::on_free,
};

decoder::decoder(const decoder_limits& limits)
  : impl_(std::make_unique<impl>(limits)) {
  // nop
}

decoder::~decoder() = default;

decoder::decoder(decoder&&) noexcept = default;

decoder& decoder::operator=(decoder&&) noexcept = default;

void decoder::feed(const char* data, size_t size) {
  auto& x = *impl_;
  // After an error hiredis takes no bytes; next() reports that error.
  if (!x.failed && redisReaderFeed(x.reader, data, size) != REDIS_OK)
    x.why = "this process has not enough memory";
}

outcome<bool> decoder::next(reply& out) {
  auto& x = *impl_;
  if (x.failed || !x.why.empty())
    return x.broken();
  if (x.reader->len == x.reader->pos)
    return false;
  x.remember_what_comes();
  void* complete = nullptr;
  if (redisReaderGetReply(x.reader, &complete) != REDIS_OK)
    return x.broken();
  if (complete == nullptr) {
    if (!x.rest_is_acceptable())
      return x.broken();
    return false;
  }
  x.move_to(out);
  return true;
}

bool decoder::has_part() const noexcept {
  const auto& x = *impl_;
  return x.reader->len != x.reader->pos || x.reader->ridx >= 0;
}

} // namespace pulse::resp
