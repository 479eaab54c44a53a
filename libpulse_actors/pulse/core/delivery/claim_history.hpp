#pragma once

#include "pulse/core/delivery/counter.hpp"

#include <cstdint>
#include <string>

namespace pulse {

/// Where a claimed event comes from.
enum class claim_origin : uint8_t {
  /// Its node died.
  node_died,
  /// A node gave it back.
  released,
  /// It failed, and waited for its next attempt.
  delayed,
  /// It failed, and its node died while it waited there for its next attempt.
  paused,
};

/// What is known about a claimed event.
struct claim_history {
  /// Counts of the event, including the delivery that follows the claim.
  delivery_counts counts{1, 0, 0};
  claim_origin origin = claim_origin::released;
  /// Whether a node died that may have worked on the event.
  bool crash_candidate = false;
  /// How many nodes or workers died while they certainly worked on the event.
  uint32_t proven_crashes = 0;
};

/// @param stored The delivery counter of the event before the claim. The death
/// of a node counts as one crash for each event that it held, except for the
/// events that it had marked: their counter includes the crash.
claim_history history_of_claim(const stored_counts& stored, claim_origin from);

/// @param max_crashes, max_deliveries See sink_options; 0: no limit.
/// @returns why a claimed event becomes a dead letter; empty if it is to be
/// delivered again.
std::string why_dead_letter(const claim_history& x, uint32_t max_crashes,
                            uint32_t max_deliveries);

} // namespace pulse
