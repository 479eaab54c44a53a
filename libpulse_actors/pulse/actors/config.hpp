#pragma once

#include "pulse/actors/type_ids.hpp"
#include "pulse/core/options.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_option_set.hpp>
#include <caf/expected.hpp>

namespace pulse {

/// Makes a CAF configuration fit for the library. It adds, and keeps what the
/// configuration already has; what is set afterwards, in a file or on the
/// command line wins as well. It
/// - registers the message types and the error texts,
/// - loads the middleman, unless it is loaded, so that other nodes can use the
///   actors; one that is loaded later, with other parameters, replaces it,
/// - sets, each only if it has no value: `scheduler.policy` = sharing,
///   `scheduler.max-throughput` = 200 and `middleman.heartbeat-interval` = 1 s.
///
/// It leaves `middleman.app-identifiers` alone, since nodes connect only if
/// they have one identifier in common, and `middleman.connection-timeout`,
/// since that disconnects nodes that send no heartbeats. Call it before the
/// actor system exists; a second call changes nothing.
void add_pulse(caf::actor_system_config& cfg);

/// Adds the group "pulse" with the options of a connection to Redis:
/// `--pulse.redis-url`, `--pulse.password-file`, `--pulse.tls-ca-file`,
/// `--pulse.tls-cert-file`, `--pulse.tls-key-file`, `--pulse.tls-server-name`,
/// `--pulse.client-name`, `--pulse.connect-timeout` and
/// `--pulse.command-timeout`. They can be given on the command line, in CAF's
/// configuration file (section `[pulse]`) and by `cfg.set("pulse.redis-url",
/// …)`; `--help` explains them. For the constructor of a class that is derived
/// from `caf::actor_system_config`:
/// `pulse::add_pulse_options(custom_options_)`. There is no option for a
/// password, since command lines are public: use `password-file`, or the URL in
/// a file that only its owner can read.
void add_pulse_options(caf::config_option_set& options);

/// Reads what the group "pulse" says; options that are not set have their
/// defaults, see redis_options.
/// Error: `errc::invalid_option` with the name of the option, also if a value
/// has the wrong type.
[[nodiscard]] caf::expected<redis_options>
redis_options_of(const caf::actor_system_config& cfg);

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
