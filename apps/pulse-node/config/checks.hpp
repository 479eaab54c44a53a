#pragma once

#include "pulse-node/config/node_config.hpp"

#include <string>
#include <vector>

namespace pulse::apps {

/// One thing that is wrong with a configuration, and where.
struct config_problem {
  /// "redis", "sink" …
  std::string section;
  /// Which one of several sections of this name, from 0.
  size_t index = 0;
  /// Empty: the section as a whole.
  std::string key;
  std::string what;
};

/// Finds everything that is wrong with values that could be read one by one.
/// Does not access files.
std::vector<config_problem> find_problems(const node_config& x);

/// Tests whether [redis] password_file can be read, if it is needed.
/// Connections read the file again each time; this test reports the error
/// before the node starts.
std::vector<config_problem> find_password_problems(const node_config& x);

} // namespace pulse::apps
