#pragma once

#include "pulse/actors/caf_version.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_option.hpp>
#include <caf/config_value.hpp>
#include <caf/timespan.hpp>

#include <optional>
#include <string>
#include <utility>

// What CAF 0.17.6 and CAF 1.x configure differently.

namespace pulse::internal {

/// Registers the messages and the errors of the library.
void register_types(caf::actor_system_config& cfg);

/// Loads the middleman unless it is loaded.
void load_middleman(caf::actor_system_config& cfg);

/// Sets the policy of the scheduler to "sharing" unless a policy is set.
void prefer_sharing(caf::actor_system_config& cfg);

/// @returns whether the option of CAF has a value; in CAF 1.x: another one than
/// its default.
bool is_set(const caf::actor_system_config& cfg, const std::string& name);

/// @returns the value as a `T`; nothing if it is something else. CAF 1.x
/// converts, such as the text "5s" to a time.
template <class T>
std::optional<T> value_as(const caf::config_value& x) {
#if CAF_MAJOR_VERSION < 1
  if (const auto* y = caf::get_if<T>(&x))
    return *y;
#else
  if (auto y = caf::get_as<T>(x))
    return std::move(*y);
#endif
  return std::nullopt;
}

/// @returns an option of type `T`: `std::string` or `caf::timespan`. CAF drops
/// a value of a configuration file that has another type, and says nothing. So
/// this option takes all values there, and value_as() judges them.
template <class T>
caf::config_option make_option(const std::string& group,
                               const std::string& name,
                               const std::string& description);

} // namespace pulse::internal
