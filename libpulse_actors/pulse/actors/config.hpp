#pragma once

#include "pulse/actors/type_ids.hpp"

#include <caf/actor_system_config.hpp>

namespace pulse {

/// Makes a CAF configuration fit for the library. It adds, and keeps what the
/// configuration already has; what is set afterwards, in a file or on the
/// command line wins as well. It
/// - registers the message types and the error texts,
/// - loads the middleman, unless it is loaded (Redis connections are brokers of
///   it); one that is loaded later, with other parameters, replaces it,
/// - sets, each only if it has no value: `scheduler.policy` = sharing,
///   `scheduler.max-throughput` = 200 and `middleman.heartbeat-interval` = 1 s.
///
/// It leaves `middleman.app-identifiers` alone, since nodes connect only if
/// they have one identifier in common, and `middleman.connection-timeout`,
/// since that disconnects nodes that send no heartbeats. Call it before the
/// actor system exists; a second call changes nothing.
void add_pulse(caf::actor_system_config& cfg);

/// A ready configuration: `pulse::config cfg; caf::actor_system sys{cfg};`
/// Derive from it for your own message types and options. For clusters of which
/// all nodes use the library: beyond add_pulse() it sets
/// `middleman.app-identifiers` = ["pulse-1"], so that nodes of other
/// applications do not get in, and `middleman.connection-timeout` = 5 s, after
/// which a silent node counts as lost. Set other values in your constructor.
/// Unlike `caf::actor_system_config` it reads no file of the current directory.
class config : public caf::actor_system_config {
public:
  config();
};

} // namespace pulse
