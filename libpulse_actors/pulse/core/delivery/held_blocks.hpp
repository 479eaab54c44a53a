#pragma once

#include "pulse/core/event.hpp"
#include "pulse/core/slots.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pulse {

/// Counts the memory that the events of a sink keep. An event keeps the whole
/// reply that it came with, so each reply counts as long as one of its events
/// is held.
class held_blocks {
public:
  using index = uint32_t;

  /// Notes that an event is held. It is cheap if the event came with the same
  /// reply as the last one that was added, which is the rule; if another event
  /// was added in between, the reply counts twice.
  /// @returns the index of the reply, for remove().
  index add(const event& x) {
    const auto* block = x.block().get();
    if (last_ >= slots_.size() || slots_[last_].events == 0
        || slots_[last_].block != block)
      last_ = add_slot(block);
    ++slots_[last_].events;
    return last_;
  }

  /// Notes that an event is not held any more.
  void remove(index i) {
    auto& x = slots_[i];
    if (--x.events > 0)
      return;
    bytes_ -= x.bytes;
    x = {};
    free_.push_back(i);
  }

  /// @returns how many bytes all the replies have.
  [[nodiscard]] size_t bytes() const noexcept {
    return bytes_;
  }

private:
  struct slot {
    const event_block* block = nullptr;
    size_t bytes = 0;
    // 0: the slot is free.
    uint32_t events = 0;
  };

  index add_slot(const event_block* block) {
    const auto result = take_slot(slots_, free_);
    slots_[result] = {block, block != nullptr ? block->bytes.capacity() : 0, 0};
    bytes_ += slots_[result].bytes;
    return result;
  }

  std::vector<slot> slots_;
  std::vector<index> free_;
  index last_ = 0;
  size_t bytes_ = 0;
};

} // namespace pulse
