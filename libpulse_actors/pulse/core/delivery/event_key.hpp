#pragma once

#include "pulse/core/event_id.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace pulse {

/// Identifies an event of a sink: the stream, as a number, and the ID.
struct event_key {
  uint32_t stream = 0;
  event_id id;

  friend bool operator==(const event_key& a, const event_key& b) noexcept {
    return a.stream == b.stream && a.id == b.id;
  }
};

struct event_key_hash {
  size_t operator()(const event_key& x) const noexcept {
    return std::hash<event_id>{}(x.id) + x.stream;
  }
};

} // namespace pulse
