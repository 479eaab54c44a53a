#pragma once

#include <chrono>
#include <cstdint>

namespace pulse {

/// A worker of a sink. Chosen by the owner of the ledger, not 0, never reused.
using worker_id = uint64_t;

using delivery_time = std::chrono::steady_clock::time_point;

/// Names an entry of the delivery ledger, and which of its dispatches.
struct delivery_ticket {
  uint32_t slot = 0;
  /// Number of the dispatch.
  uint32_t round = 0;
  /// Of the entry, never reused; 0: of none.
  uint64_t serial = 0;

  friend bool operator==(const delivery_ticket& a,
                         const delivery_ticket& b) noexcept {
    return a.serial == b.serial && a.round == b.round;
  }
};

} // namespace pulse
