#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/resp/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

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
  /// Bytes of one bulk string.
  uint64_t max_bulk_bytes = 512ull << 20;
  /// Bytes of all texts in one reply.
  uint64_t max_reply_bytes = 1ull << 30;
  /// Bytes of a status, error or length line.
  uint32_t max_line_bytes = 64u << 10;
};

/// Decodes replies from the bytes of a socket, which may arrive in pieces of
/// any size. It uses the reader of hiredis with callbacks of its own. After an
/// error a decoder cannot be used any more: close the connection and make a new
/// decoder.
class decoder {
public:
  explicit decoder(const decoder_limits& limits = {});
  ~decoder();
  decoder(decoder&&) noexcept;
  decoder& operator=(decoder&&) noexcept;

  /// Adds bytes that arrived.
  void feed(const char* data, size_t size);

  /// Decodes the next top-level reply, appends it to `out`, and increments
  /// `out.count`.
  /// @returns true if a reply was appended. False if more bytes are needed;
  /// then `out` is unchanged. Error: `errc::protocol_error` or
  /// `errc::payload_too_large`. Only if the peer is no Redis server, the text
  /// has the first bytes that it sent.
  outcome<bool> next(reply& out);

  /// @returns whether a part of a reply has arrived.
  [[nodiscard]] bool has_part() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse::resp
