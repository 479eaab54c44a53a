#pragma once

#include "pulse/core/delivery/ticket.hpp"
#include "pulse/core/event_id.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace pulse {

/// Remembers at which worker an event failed, until the event comes back for
/// its next attempt, so that another worker makes that attempt. The memory has
/// a fixed size: a later event may take the place of an earlier one, which then
/// may go to the same worker again.
class failure_memory {
public:
  void note(uint32_t stream, event_id id, worker_id failed_at) {
    if (places_.empty())
      places_.resize(size);
    place_of(stream, id) = {stream, id, failed_at};
  }

  /// @returns the worker at which the event failed last; 0 if that is not
  /// known.
  [[nodiscard]] worker_id recall(uint32_t stream, event_id id) {
    if (places_.empty())
      return 0;
    const auto& x = place_of(stream, id);
    return x.stream == stream && x.id == id ? x.failed_at : 0;
  }

private:
  struct place {
    uint32_t stream = 0;
    event_id id;
    worker_id failed_at = 0;
  };

  static constexpr size_t size = 1'024;

  place& place_of(uint32_t stream, event_id id) {
    return places_[(std::hash<event_id>{}(id) + stream) % size];
  }

  std::vector<place> places_;
};

} // namespace pulse
