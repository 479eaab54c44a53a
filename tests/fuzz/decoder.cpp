// The RESP decoder: no input may crash it or make it allocate what its limits
// forbid, and the pieces in which bytes arrive make no difference.

#include "pulse/resp/decoder.hpp"

#include "check.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

using namespace pulse;
using namespace pulse::resp;

namespace {

struct decoded {
  reply all;
  std::optional<errc> broken;
};

decoder_limits small_limits() {
  decoder_limits result;
  result.max_elements = 100;
  result.max_nodes = 500;
  result.max_bulk_bytes = 1'000;
  result.max_reply_bytes = 4'000;
  result.max_line_bytes = 200;
  return result;
}

// Hands over at most `step` bytes at a time.
decoded decode(std::string_view bytes, size_t step) {
  decoded result;
  decoder uut{small_limits()};
  reply under_way;
  while (!bytes.empty() && !result.broken) {
    auto piece = bytes.substr(0, step);
    bytes.remove_prefix(piece.size());
    while (!piece.empty() && !result.broken) {
      const auto complete = uut.next(piece, under_way);
      if (!complete) {
        result.broken = complete.error().code;
        fuzz::check(!complete.error().what.empty(), "an error has a text");
        fuzz::check(under_way.nodes.size() == result.all.nodes.size()
                      && under_way.bytes.size() == result.all.bytes.size(),
                    "an error leaves the complete replies");
      } else if (*complete) {
        result.all = under_way;
      } else {
        fuzz::check(piece.empty(), "a reply is incomplete only at the end");
      }
    }
  }
  return result;
}

void check_shape(const reply& x) {
  for (const auto& node : x.nodes) {
    const bool has_text = node.type == node_type::string
                          || node.type == node_type::status
                          || node.type == node_type::error;
    if (has_text) {
      fuzz::check(node.value >= 0
                    && static_cast<uint64_t>(node.value) + node.size
                         <= x.bytes.size(),
                  "texts lie within the bytes");
      fuzz::touch(x.text(node));
    }
  }
  cursor at{x};
  uint32_t count = 0;
  for (; !at.at_end(); at.skip())
    ++count;
  fuzz::check(count == x.count, "skip() steps over one reply at a time");
}

bool same(const decoded& a, const decoded& b) {
  return a.broken == b.broken && a.all.bytes == b.all.bytes
         && a.all.count == b.all.count
         && std::equal(a.all.nodes.begin(), a.all.nodes.end(),
                       b.all.nodes.begin(), b.all.nodes.end(),
                       [](const node& x, const node& y) {
                         return x.type == y.type && x.size == y.size
                                && x.value == y.value;
                       });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto whole = decode(bytes, std::max<size_t>(size, 1));
  check_shape(whole.all);
  fuzz::check(same(whole, decode(bytes, 1)), "byte by byte is the same");
  fuzz::check(same(whole, decode(bytes, 7)), "in pieces is the same");
  return 0;
}
