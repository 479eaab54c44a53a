#pragma once

#include "pulse/core/delivery/ticket.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
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
    const auto i = waiting_.find(key);
    if (i == waiting_.end())
      return;
    const auto& [items, first, parks] = i->second;
    for (size_t k = first; k < items.size() && k - first < most; ++k)
      fn(items[k]);
  }

  /// @returns how many events wait for the turn of a key.
  [[nodiscard]] size_t count_waiting(uint64_t key) const {
    const auto i = waiting_.find(key);
    return i != waiting_.end() ? i->second.items.size() - i->second.first : 0;
  }

  /// Notes whether events that join the queue of a key are parked, because the
  /// queue will not move for long.
  /// @pre an event of this key has the turn
  void set_parks(uint64_t key, bool parks) {
    waiting_.find(key)->second.parks = parks;
  }
  [[nodiscard]] bool parks(uint64_t key) const {
    const auto i = waiting_.find(key);
    return i != waiting_.end() && i->second.parks;
  }

  /// @returns the number of keys for which an event has the turn.
  [[nodiscard]] size_t size() const noexcept {
    return waiting_.size();
  }

private:
  // Most keys have only one event at a time, so their queue stays empty. An
  // empty vector allocates no memory.
  struct queue {
    std::vector<delivery_ticket> items;
    size_t first = 0;
    bool parks = false;
  };

  std::unordered_map<uint64_t, queue> waiting_;
};

} // namespace pulse
