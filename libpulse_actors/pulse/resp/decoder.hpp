#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/resp/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pulse::resp {

/// What a decoder accepts from an untrusted peer. Beyond a limit decoding ends
/// with `errc::protocol_error`; nothing is allocated on a mere announcement.
struct decoder_limits {
  /// Elements of one array.
  uint32_t max_elements = 1u << 20;
  /// Nodes of one reply.
  uint32_t max_nodes = 16u << 20;
  /// Bytes of one bulk string.
  uint64_t max_bulk_bytes = 512ull << 20;
  /// Bytes of text in one reply.
  uint64_t max_reply_bytes = 1ull << 30;
  /// Bytes of a status, error or length line.
  uint32_t max_line_bytes = 64u << 10;
};

/// Turns bytes from a socket into replies, incrementally, in whatever pieces
/// they come. Uses hiredis' reader with own object callbacks. After an error a
/// decoder is used up: close the connection, make a new one.
class decoder {
public:
  explicit decoder(const decoder_limits& limits = {});
  ~decoder();
  decoder(decoder&&) noexcept;
  decoder& operator=(decoder&&) noexcept;

  /// Hands over bytes as they arrived.
  void feed(const char* data, size_t size);

  /// Decodes the next top-level reply and appends it to `out` (nodes, bytes,
  /// count + 1).
  /// @returns true if one was appended, false if more bytes are needed. Then
  /// `out` holds no part of it. Error: `errc::protocol_error` that says what
  /// was seen.
  outcome<bool> next(reply& out);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse::resp
