#pragma once

#include "common/node_config.hpp"

#include <string>
#include <string_view>
#include <vector>

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

struct loaded_config {
  node_config config;
  /// Everything that is wrong, ready to print: "file:line:column: key: what".
  /// If there is any, the configuration must not be used.
  std::vector<std::string> errors;
};

/// Reads a file, then applies the settings in their order, then checks all.
loaded_config load_config(const std::string& path,
                          const std::vector<setting>& settings = {});

/// The same from text; `name` stands for the file in errors.
loaded_config load_config_text(std::string_view text, const std::string& name,
                               const std::vector<setting>& settings = {});

} // namespace pulse::apps
