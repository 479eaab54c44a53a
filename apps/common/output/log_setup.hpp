#pragma once

#include "pulse/core/log.hpp"

namespace pulse::apps {

/// Sends the library's log to standard error through spdlog: one line each,
/// with time (UTC), level and colours if that is a terminal.
void start_logging(pulse::log_level lowest);

} // namespace pulse::apps
