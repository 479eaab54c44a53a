#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system_config.hpp>

namespace pulse {

/// Makes a CAF configuration fit for the library: registers the message types
/// and the error texts, loads the middleman (Redis connections are brokers of
/// it) and sets what CAF needs for it: scheduler policy `sharing`, 200 messages
/// a turn, heartbeats between nodes (1 s, lost after 5 s). Call it once, before
/// the actor system exists; set other values afterwards if you must.
void add_pulse(caf::actor_system_config& cfg);

/// A ready configuration: `pulse::config cfg; caf::actor_system sys{cfg};`
/// Derive from it for your own message types and options. Unlike
/// `caf::actor_system_config` it reads no file of the current directory.
class config : public caf::actor_system_config {
public:
  config();
};

} // namespace pulse
