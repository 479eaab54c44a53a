#pragma once

#include <chrono>
#include <cstdint>

namespace pulse {

/// Identifies a worker of a sink. The owner of the ledger chooses the number,
/// which is not 0 and is never used again.
using worker_id = uint64_t;

using delivery_time = std::chrono::steady_clock::time_point;

/// Identifies an entry of the delivery ledger, and one of its dispatches.
struct delivery_ticket {
  uint32_t slot = 0;
  /// Number of the dispatch.
  uint32_t round = 0;
  /// Number of the entry, which is never used again; 0: the ticket of no entry.
  uint64_t serial = 0;

  friend bool operator==(const delivery_ticket& a,
                         const delivery_ticket& b) noexcept {
    return a.serial == b.serial && a.round == b.round;
  }
};

} // namespace pulse
