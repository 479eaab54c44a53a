#pragma once

#include "pulse/actors/messages.hpp"

#include <caf/fwd.hpp>

#include "chaos/node/journal.hpp"
#include "chaos/node/misbehaviour.hpp"

#include <chrono>
#include <string>

namespace pulse::chaos {

/// The behaviour of the workers of a node.
struct worker_options {
  uint64_t seed = 0;
  std::string sink;
  misdeed_rates rates;
  std::chrono::microseconds work{0};
  std::chrono::milliseconds hang{0};
  std::chrono::milliseconds slow{0};
};

/// Spawns a subscriber with a thread of its own.
/// @param number Identifies the worker; never used again in this process.
event_listener spawn_worker(caf::actor_system& sys, uint64_t number,
                            const worker_options& how, journal& log);

} // namespace pulse::chaos
