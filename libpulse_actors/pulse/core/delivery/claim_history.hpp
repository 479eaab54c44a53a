#pragma once

#include "pulse/core/delivery/counter.hpp"

#include <cstdint>
#include <string>

namespace pulse {

/// What is known of an event that another node held before it was claimed.
struct claim_history {
  /// This delivery included.
  delivery_counts counts;
  /// Whether a node died that may have worked on the event.
  bool crash_candidate = false;
  /// How many nodes or workers died that worked on the event for sure.
  uint32_t proven_crashes = 0;
};

/// @param stored The delivery counter of the event before the claim.
/// @param released Whether its node released the event. Otherwise the node
/// died: that counts as a crash against each event that it held, except those
/// that it had marked, for which the crash is counted already.
claim_history history_of_claim(const stored_counts& stored, bool released);

/// @param max_crashes, max_deliveries See sink_options; 0: no limit.
/// @returns why a claimed event becomes a dead letter; empty if it is to be
/// delivered again.
std::string why_give_up(const claim_history& x, uint32_t max_crashes,
                        uint32_t max_deliveries);

} // namespace pulse
