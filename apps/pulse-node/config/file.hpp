#pragma once

#include "pulse-node/config/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulse::apps {

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
