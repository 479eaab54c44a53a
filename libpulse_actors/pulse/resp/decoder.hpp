#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/resp/reply.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pulse::resp {

/// How much a decoder accepts from an untrusted peer. If a reply exceeds
/// `max_reply_bytes`, decoding fails with `errc::payload_too_large`; for the
/// other limits, which no Redis server exceeds, it fails with
/// `errc::protocol_error`. An announced length alone causes no allocation.
struct decoder_limits {
  /// Number of elements of one array.
  uint32_t max_elements = 1u << 20;
  /// Number of nodes of one reply.
  uint32_t max_nodes = 16u << 20;
  /// Bytes of one bulk string, at most 1 GiB.
  uint64_t max_bulk_bytes = 512ull << 20;
  /// Bytes of all texts in one reply.
  uint64_t max_reply_bytes = 1ull << 30;
  /// Bytes of a status, error or length line.
  uint32_t max_line_bytes = 64u << 10;
};

/// Decodes replies of RESP2 from the bytes of a socket, which may arrive in
/// pieces of any size. A text is copied once, from these bytes into the reply.
/// After an error a decoder cannot be used any more: close the connection and
/// make a new decoder. The protocol:
/// https://redis.io/docs/latest/develop/reference/protocol-spec
class decoder {
public:
  explicit decoder(const decoder_limits& limits = {});

  /// Decodes the next top-level reply, or the next part of it, and appends it
  /// to `out`.
  /// @param bytes What arrived. The function removes what it has decoded.
  /// @returns true if the reply is complete: then `out.count` was incremented.
  /// False if all bytes were decoded and the rest of the reply is missing: call
  /// again with the next bytes and the same `out`, which has a part of the
  /// reply and must not be read. Error: `errc::protocol_error` or
  /// `errc::payload_too_large`; then `out` has the complete replies. Only if
  /// the peer is no Redis server, the text has the first bytes that it sent.
  outcome<bool> next(std::string_view& bytes, reply& out);

  /// @returns whether a part of a reply was decoded.
  [[nodiscard]] bool has_part() const noexcept {
    return depth_ > 0 || !is_between_elements();
  }

private:
  /// How deep arrays may be nested. A read of streams has five levels, and a
  /// script or a transaction adds one.
  static constexpr size_t max_depth = 8;

  [[nodiscard]] bool is_between_elements() const noexcept {
    return bulk_left_ == 0 && line_.empty();
  }

  void begin(std::string_view bytes, const reply& out);
  void take_whole_elements(std::string_view& bytes, reply& out);
  bool take_part(std::string_view& bytes, reply& out);
  bool take_text(std::string_view& bytes, reply& out);
  bool take_line(std::string_view& bytes, reply& out);
  bool continue_line(std::string_view& bytes, reply& out);
  bool line_may_go_on();
  bool apply(std::string_view line, reply& out);
  bool open_array(std::string_view digits, reply& out);
  bool open_text(std::string_view digits, reply& out);
  bool add_integer(std::string_view digits, reply& out);
  bool add_line(node_type type, std::string_view text, reply& out);
  bool add(const node& x, reply& out);
  bool text_fits(uint64_t size, const reply& out);

  // An array ends with its last element.
  void end_element() {
    while (depth_ > 0 && --missing_[depth_ - 1] == 0)
      --depth_;
    complete_ = depth_ == 0;
  }

  bool refuse(std::string why);
  bool refuse(const char* what, uint64_t seen, const char* option,
              uint64_t limit);
  failure broken() const;

  decoder_limits limits_;
  /// How many elements of each open array are missing.
  std::array<uint32_t, max_depth> missing_{};
  size_t depth_ = 0;
  /// How many bytes of a bulk string are missing, with its "\r\n".
  uint64_t bulk_left_ = 0;
  /// A line whose end has not arrived.
  std::string line_;
  /// Whether the reply under way is complete.
  bool complete_ = false;
  /// Where the reply under way begins in the nodes and the bytes.
  size_t first_node_ = 0;
  size_t first_byte_ = 0;
  /// The first bytes that the peer sent, for error texts.
  std::string start_;
  bool is_first_ = true;
  /// Why the bytes were refused.
  std::string why_;
  bool is_too_large_ = false;
};

} // namespace pulse::resp
