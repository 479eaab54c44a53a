#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_option.hpp>
#include <caf/timespan.hpp>

#include <string>

// What CAF 0.17.6 and CAF 1.x configure differently.

namespace pulse::internal {

/// Registers the messages and the errors of the library.
void register_types(caf::actor_system_config& cfg);

/// Loads the middleman unless it is loaded.
void load_middleman(caf::actor_system_config& cfg);

/// Sets the policy of the scheduler to "sharing" unless a policy is set.
void prefer_sharing(caf::actor_system_config& cfg);

/// @returns whether the option of CAF has a value.
bool is_set(const caf::actor_system_config& cfg, const std::string& name);

/// @returns an option of type `T`: `std::string` or `caf::timespan`. A value of
/// another type in a configuration file is an error of CAF, or it reaches
/// redis_options_of().
template <class T>
caf::config_option make_option(const std::string& group,
                               const std::string& name,
                               const std::string& description);

} // namespace pulse::internal
