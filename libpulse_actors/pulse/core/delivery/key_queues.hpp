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
  };

  std::unordered_map<uint64_t, queue> waiting_;
};

} // namespace pulse
