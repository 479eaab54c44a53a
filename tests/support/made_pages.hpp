#pragma once

#include "pulse/core/reading/stream_page.hpp"

#include <memory>
#include <optional>
#include <string>

namespace pulse::test {

/// A page that was read after <after>-0, with the events <first>-0 to <last>-0.
inline stream_page made_page(const std::string& stream, uint64_t after,
                             uint64_t first, uint64_t last) {
  auto block = std::make_shared<event_block>();
  block->streams.push_back(stream);
  for (; first <= last; ++first) {
    event_extent x;
    x.id = {first, 0};
    x.has_name = true;
    x.has_payload = true;
    block->extents.push_back(x);
  }
  stream_page result;
  result.stream = stream;
  result.after = {after, 0};
  result.end = static_cast<uint32_t>(block->extents.size());
  result.block = std::move(block);
  return result;
}

/// A page without events.
inline stream_page empty_page(const std::string& stream, uint64_t after) {
  stream_page result;
  result.stream = stream;
  result.after = {after, 0};
  result.drained = true;
  return result;
}

/// What Redis said about a stream before a read, whose events are not known
/// yet.
inline stream_page checked_page(const std::string& stream, uint64_t after,
                                std::optional<stream_state> found = {}) {
  auto result = empty_page(stream, after);
  result.drained = false;
  result.checked = true;
  result.found = found;
  return result;
}

/// @returns "a 3-6" for a page with the events 3-0 to 6-0 of stream a, and
/// whether it says something about the stream, as in "a checked drained".
inline std::string text_of(const stream_page& x) {
  auto result = x.stream;
  if (x.checked)
    result += " checked";
  if (x.drained)
    result += " drained";
  if (x.size() > 0)
    result += " " + std::to_string(x.block->extents[x.begin].id.ms) + "-"
              + std::to_string(x.last().ms);
  return result;
}

} // namespace pulse::test
