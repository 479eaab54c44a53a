#pragma once

#include "pulse-node/config/node_config.hpp"

#include <string>

namespace pulse::apps {

/// @returns the configuration as the text of a file. A node that reads this
/// file gets the same configuration again, but without passwords.
std::string dump(const node_config& x);

} // namespace pulse::apps
