#pragma once

#include "common/config_file.hpp"

// What configurations take from outside of their file.

namespace pulse::apps {

/// @returns the setting that gave the value in question, or null if it came
/// from the file.
const setting* origin_of(const config_problem& x,
                         const std::vector<setting>& settings);

/// Puts a setting into the configuration, or adds to its errors.
void apply(const setting& x, loaded_config& out);

/// Complains if [redis] password_file is needed and cannot be read. Connections
/// read it again and again, this is for an early error.
void check_password(const node_config& config,
                    std::vector<config_problem>& problems);

} // namespace pulse::apps
