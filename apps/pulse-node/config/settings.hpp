#pragma once

#include "pulse-node/config/node_config.hpp"

#include <string>
#include <vector>

// What configurations take from outside of their file.

namespace pulse::apps {

/// A value from outside the file, which overrides it.
struct setting {
  /// "redis", "node" or "caf".
  std::string section;
  std::string key;
  std::string value;
  /// For errors: "PULSE_REDIS_URL", "--name".
  std::string origin;
};

/// The variables PULSE_REDIS_<KEY>, PULSE_NODE_<KEY> and PULSE_CAF_<KEY> that
/// are set, for every key of these sections, and PULSE_REDIS_PASSWORD.
std::vector<setting> environment_settings();

/// @returns the last setting of this key, which gave the value, or null if no
/// setting has this key.
const setting* find_setting(const std::vector<setting>& settings,
                            const std::string& section, const std::string& key);

/// Puts the value of a setting into the configuration.
/// Error: `errc::invalid_option`; the text starts with the setting's origin.
status apply(const setting& x, node_config& out);

} // namespace pulse::apps
