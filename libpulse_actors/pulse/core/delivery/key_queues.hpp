#pragma once

#include "pulse/core/delivery/ticket.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pulse {

/// Order of keyed dispatch: of the events that have the same key, one has the
/// turn, and the others wait here until it is decided.
class key_queues {
public:
  /// Adds an event at the end of its key's queue.
  /// @returns whether it has the turn at once, since no other has it.
  bool enter(uint64_t key, const delivery_ticket& x);

  /// The event that had the turn is decided.
  /// @returns the next one, which is not in the queue any more; nothing if none
  /// waits, and then nobody has the turn.
  /// @pre an event of this key has the turn
  std::optional<delivery_ticket> next(uint64_t key);

  /// Number of keys whose turn somebody has.
  [[nodiscard]] size_t size() const noexcept {
    return waiting_.size();
  }

private:
  // Most keys have one event at a time: an empty queue allocates nothing.
  struct queue {
    std::vector<delivery_ticket> items;
    size_t first = 0;
  };

  std::unordered_map<uint64_t, queue> waiting_;
};

} // namespace pulse
