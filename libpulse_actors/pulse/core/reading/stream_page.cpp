#include "pulse/core/reading/stream_page.hpp"

#include <algorithm>
#include <limits>

namespace pulse {

namespace {

// A part of the bytes of a block.
struct range {
  uint32_t begin = std::numeric_limits<uint32_t>::max();
  uint32_t end = 0;

  [[nodiscard]] size_t size() const noexcept {
    return end > begin ? end - begin : 0;
  }

  void add(uint32_t pos, uint32_t len) noexcept {
    if (len == 0)
      return;
    begin = std::min(begin, pos);
    end = std::max(end, pos + len);
  }
};

// @returns where the events of a page lie in its block. Those of a stream
// follow each other.
range range_of(const stream_page& x) {
  range result;
  for (auto i = x.begin; i < x.end; ++i) {
    const auto& y = x.block->extents[i];
    result.add(y.name_pos, y.name_len);
    result.add(y.topic_pos, y.topic_len);
    result.add(y.payload_pos, y.payload_len);
  }
  return result;
}

size_t memory_of(size_t bytes, size_t events) {
  return bytes + events * sizeof(event_extent);
}

// An empty part may be anywhere, so it moves to the begin.
void move_part(uint32_t& pos, uint32_t len, uint32_t by) {
  pos = len > 0 ? pos - by : 0;
}

std::shared_ptr<const event_block> copy_of(const stream_page& x,
                                           const range& bytes) {
  auto result = std::make_shared<event_block>();
  const auto* all = x.block->extents.data();
  if (bytes.size() > 0)
    result->bytes.assign(x.block->bytes, bytes.begin, bytes.size());
  result->streams.push_back(x.stream);
  result->extents.assign(all + x.begin, all + x.end);
  for (auto& y : result->extents) {
    y.stream = 0;
    move_part(y.name_pos, y.name_len, bytes.begin);
    move_part(y.topic_pos, y.topic_len, bytes.begin);
    move_part(y.payload_pos, y.payload_len, bytes.begin);
  }
  return result;
}

} // namespace

void detach(stream_page& x) {
  const auto& from = *x.block;
  if (from.streams.size() < 2)
    return;
  const auto bytes = range_of(x);
  if (2 * memory_of(bytes.size(), x.size())
      >= memory_of(from.bytes.size(), from.extents.size()))
    return;
  const auto size = x.size();
  x.block = copy_of(x, bytes);
  x.begin = 0;
  x.end = size;
}

} // namespace pulse
