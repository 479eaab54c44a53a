#pragma once

#include "pulse/core/outcome.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulse::apps {

/// Reads a text file. Error: `errc::invalid_option` if it is missing,
/// unreadable, no file or empty; the text says which and what to do.
outcome<std::vector<std::string>> read_lines(const std::string& path);

/// The topic of a line: the action in a line of dpkg.log ("install",
/// "status"), the log level in any other that names one ("error"), else
/// "line".
std::string topic_of(std::string_view line);

} // namespace pulse::apps
