#pragma once

#include "pulse/core/event.hpp"

#include <cstdint>
#include <string>

namespace pulse {

// Which events a sink gives up. Only attempts that ended badly count. A
// hand-over that ended without a fault does not: another event killed the
// worker, say, or the worker quit before it began with this event.

/// @param max_deliveries See sink_options; 0: no limit.
/// @returns whether the attempts of an event are used up.
inline bool is_used_up(const delivery_counts& x,
                       uint32_t max_deliveries) noexcept {
  return max_deliveries > 0 && x.failures + x.crashes >= max_deliveries;
}

/// @returns how often an event was tried whose attempts are used up, for the
/// reason of its dead letter.
std::string describe_used_up(const delivery_counts& x, uint32_t max_deliveries);

} // namespace pulse
