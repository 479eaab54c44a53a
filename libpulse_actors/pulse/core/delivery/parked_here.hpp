#pragma once

#include "pulse/core/delivery/event_key.hpp"
#include "pulse/core/event.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace pulse {

/// Remembers the events that no other node ever had when this one gave them to
/// Redis, where they wait for their next attempt. If such an event comes back
/// with the counts that it had, no other node had it meanwhile. The memory is
/// bounded: of very many events it forgets the oldest ones.
class parked_here {
public:
  void note(uint32_t stream, event_id id, const delivery_counts& counts) {
    if (young_.size() >= most / 2)
      old_ = std::exchange(young_, {});
    young_.insert_or_assign(event_key{stream, id}, counts);
  }

  void forget(uint32_t stream, event_id id) {
    young_.erase({stream, id});
    old_.erase({stream, id});
  }

  /// Forgets the event.
  /// @param counts Those that it came back with.
  /// @returns whether no other node ever had it.
  [[nodiscard]] bool recall(uint32_t stream, event_id id,
                            const delivery_counts& counts) {
    for (auto* events : {&young_, &old_})
      if (const auto i = events->find({stream, id}); i != events->end()) {
        const auto before = i->second;
        forget(stream, id);
        return counts.deliveries == before.deliveries + 1
               && counts.failures == before.failures
               && counts.crashes == before.crashes;
      }
    return false;
  }

  void clear() {
    young_.clear();
    old_.clear();
  }

private:
  static constexpr size_t most = 200'000;

  std::unordered_map<event_key, delivery_counts, event_key_hash> young_;
  std::unordered_map<event_key, delivery_counts, event_key_hash> old_;
};

} // namespace pulse
