#pragma once

#include "pulse/core/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::resp {

/// The types of RESP2, which Redis 7 uses unless a client asks for RESP3.
enum class node_type : uint8_t { nil, integer, string, status, error, array };

/// One node of a reply. The nodes are in preorder: an array is followed by its
/// `size` elements, and an element that is an array by its own elements.
struct node {
  node_type type = node_type::nil;
  /// For a string, status or error: its length in bytes. For an array: the
  /// number of elements.
  uint32_t size = 0;
  /// For a string, status or error: its position in reply::bytes. For an
  /// integer: its value.
  int64_t value = 0;
};

/// One or several replies. All texts are in one buffer and all nodes in one
/// array, so that no element needs an allocation of its own. The events of a
/// reply keep the buffer as their storage, so payloads are not copied again.
struct reply {
  std::string bytes;
  std::vector<node> nodes;
  /// Number of top-level replies.
  uint32_t count = 0;
  /// The time from the first bytes to the last ones; 0 if they arrived
  /// together.
  std::chrono::steady_clock::duration took{0};

  [[nodiscard]] std::string_view text(const node& x) const noexcept {
    return {bytes.data() + x.value, x.size};
  }
};

/// Walks through a reply in preorder. At the end of the reply, and if the node
/// has another type, the `read_` functions return false and do not move the
/// cursor.
class cursor {
public:
  explicit cursor(const reply& of) noexcept : reply_(&of) {
    // nop
  }

  [[nodiscard]] bool at_end() const noexcept {
    return pos_ >= reply_->nodes.size();
  }

  /// @returns the node at the cursor. @pre `!at_end()`
  [[nodiscard]] const node& peek() const noexcept {
    return reply_->nodes[pos_];
  }

  [[nodiscard]] bool is(node_type x) const noexcept {
    return !at_end() && peek().type == x;
  }

  /// @returns the text of the node at the cursor.
  /// @pre the node is a string, status or error
  [[nodiscard]] std::string_view text() const noexcept {
    return reply_->text(peek());
  }

  /// Reads the header of an array. The cursor is then at its first element.
  bool read_array(uint32_t& size) noexcept;
  bool read_integer(int64_t& value) noexcept;
  /// Reads a bulk string or a status.
  bool read_text(std::string_view& text) noexcept;
  /// Reads a nil bulk string or a nil array.
  bool read_nil() noexcept;
  /// Moves over one node, and over all its elements if it is an array.
  void skip() noexcept;

private:
  const reply* reply_;
  size_t pos_ = 0;
};

/// @returns the failure for an error reply, see classify().
/// @pre `at.is(node_type::error)`
failure error_of(const cursor& at);

/// Finds the error code for an error text of Redis by its beginning. No other
/// code interprets these texts. The failure names the script that caused it.
/// @returns the failure; `errc::redis_error` if the text is not known.
failure classify(std::string_view error_text);

/// @returns a failure for a reply that does not have the shape of replies to
/// `command`: `errc::protocol_error`.
failure unexpected_reply(std::string_view command, const cursor& at);

} // namespace pulse::resp
