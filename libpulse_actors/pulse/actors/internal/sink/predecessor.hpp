#pragma once

#include "pulse/actors/internal/sink/context.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace pulse::internal {

/// The sink actor that this one replaces, because it died of a defect. Its
/// events need not wait until its lease is over: this sink, or another member,
/// takes them at once. If that fails, they are taken when the lease is over.
class sink_predecessor {
public:
  /// @param freed Called when events may be there to be taken.
  sink_predecessor(sink_context& ctx, std::function<void()> freed)
    : ctx_(ctx), freed_(std::move(freed)) {
    // nop
  }

  /// @param consumer The consumer of the sink that died; empty: none did.
  void is(std::string consumer) {
    consumer_ = std::move(consumer);
  }

  /// Call this when a stream is open.
  void free_events(uint32_t stream);

private:
  sink_context& ctx_;
  std::function<void()> freed_;
  std::string consumer_;
};

} // namespace pulse::internal
