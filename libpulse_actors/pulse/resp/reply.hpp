#pragma once

#include "pulse/core/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::resp {

/// The types of RESP2: what Redis 7 speaks unless asked for RESP3.
enum class node_type : uint8_t { nil, integer, string, status, error, array };

/// One node of a reply. Nodes stand in preorder: an array is followed by its
/// `size` elements, each with all that belongs to it.
struct node {
  node_type type = node_type::nil;
  /// string, status, error: length in bytes. array: number of elements.
  uint32_t size = 0;
  /// string, status, error: position in reply::bytes. integer: the value.
  int64_t value = 0;
};

/// One or several replies, flat: all text in one buffer, all nodes in one
/// array, no allocation per element. A reader of events keeps the buffer as
/// the events' storage, so payloads are not copied again.
struct reply {
  std::string bytes;
  std::vector<node> nodes;
  /// Number of top-level replies.
  uint32_t count = 0;

  [[nodiscard]] std::string_view text(const node& x) const noexcept {
    return {bytes.data() + x.value, x.size};
  }
};

/// Walks through a reply in preorder. Never goes past the end: beyond it, and
/// where the type is another than asked for, the `read_` functions return
/// false and the cursor stays where it is.
class cursor {
public:
  explicit cursor(const reply& of) noexcept : reply_(&of) {
    // nop
  }

  [[nodiscard]] bool at_end() const noexcept {
    return pos_ >= reply_->nodes.size();
  }

  /// The node here. @pre `!at_end()`
  [[nodiscard]] const node& peek() const noexcept {
    return reply_->nodes[pos_];
  }

  [[nodiscard]] bool is(node_type x) const noexcept {
    return !at_end() && peek().type == x;
  }

  /// Text of the node here. @pre it is a string, status or error
  [[nodiscard]] std::string_view text() const noexcept {
    return reply_->text(peek());
  }

  /// Reads the header of an array; then its elements follow.
  bool read_array(uint32_t& size) noexcept;
  bool read_integer(int64_t& value) noexcept;
  /// Reads a bulk string or a status.
  bool read_text(std::string_view& text) noexcept;
  /// Reads a nil bulk or a nil array: RESP2 does not tell why there is nothing.
  bool read_nil() noexcept;
  /// Steps over one node and all that belongs to it.
  void skip() noexcept;

private:
  const reply* reply_;
  size_t pos_ = 0;
};

/// @returns the failure that an error reply stands for, see classify().
/// @pre `at.is(node_type::error)`
failure error_of(const cursor& at);

/// The one place where Redis' error texts are read: by their first token.
/// `errc::redis_error` if the token is none that we handle.
failure classify(std::string_view error_text);

/// A failure for a reply whose shape is not what `command` answers:
/// `errc::protocol_error`.
failure unexpected_reply(std::string_view command, const cursor& at);

} // namespace pulse::resp
