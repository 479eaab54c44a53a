#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/slot_index.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace pulse {

/// Keeps the order in keyed dispatch. Of all events with the same key, one has
/// the turn; the others wait here until the outcome of that event is decided.
class key_queues {
public:
  /// Adds an event at the end of the queue of its key.
  /// @returns whether the event gets the turn at once, because no other event
  /// of the key has it.
  bool enter(uint64_t key, const delivery_ticket& x);

  /// Ends the turn of the current event of a key.
  /// @returns the event that has the turn now and was removed from the queue;
  /// nothing if no event waits, and then no event has the turn.
  /// @pre an event of this key has the turn
  std::optional<delivery_ticket> next(uint64_t key);

  /// Calls `fn` with the ticket of each event that waits for the turn of a key,
  /// the first `most` of them at most.
  template <class F>
  void for_each_waiting(uint64_t key, size_t most, F fn) const {
    const auto* x = waiting_for(key);
    if (x == nullptr)
      return;
    const auto& [items, first] = *x;
    for (size_t k = first; k < items.size() && k - first < most; ++k)
      fn(items[k]);
  }

  /// @returns how many events wait for the turn of a key.
  [[nodiscard]] size_t count_waiting(uint64_t key) const {
    const auto* x = waiting_for(key);
    return x != nullptr ? x->items.size() - x->first : 0;
  }

  /// Notes whether events that join the queue of a key are parked, because the
  /// queue will not move for long.
  /// @pre an event of this key has the turn
  void set_parks(uint64_t key, bool parks) {
    turns_[*find(key)].parks = parks;
  }
  [[nodiscard]] bool parks(uint64_t key) const {
    const auto i = find(key);
    return i && turns_[*i].parks;
  }

  /// @returns the number of keys for which an event has the turn.
  [[nodiscard]] size_t size() const noexcept {
    return index_.size();
  }

private:
  struct queue {
    std::vector<delivery_ticket> items;
    size_t first = 0;
  };

  static constexpr uint32_t no_queue = UINT32_MAX;

  /// A key for which an event has the turn.
  struct turn {
    uint64_t key = 0;
    // Where the queue is. There is none until another event of the key comes:
    // most keys have only one event at a time.
    uint32_t queue = no_queue;
    bool parks = false;
  };

  [[nodiscard]] std::optional<uint32_t> find(uint64_t key) const {
    return index_.find(key, [&](uint32_t i) { return turns_[i].key == key; });
  }
  [[nodiscard]] const queue* waiting_for(uint64_t key) const {
    const auto i = find(key);
    return i && turns_[*i].queue != no_queue ? &queues_[turns_[*i].queue]
                                             : nullptr;
  }
  void begin_turn(uint64_t key);
  void end_turn(uint32_t i);
  queue& queue_of(turn& x);

  std::vector<turn> turns_;
  std::vector<uint32_t> free_turns_;
  slot_index index_;
  std::vector<queue> queues_;
  std::vector<uint32_t> free_queues_;
};

} // namespace pulse
