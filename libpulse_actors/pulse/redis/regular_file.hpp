#pragma once

#include "pulse/core/outcome.hpp"

#include <string>

// The files with passwords and certificates are read on the thread that does
// the I/O of all connections. To open a pipe, or to read from it, would stop
// that thread until somebody writes, so only regular files are read.

namespace pulse::redis {

/// @returns success if `path` leads to a regular file.
/// Error: `errc::invalid_option`; its text is the reason only.
status require_regular_file(const std::string& path);

/// @returns the first line of a regular file, without its end. Does not block.
/// Error: as require_regular_file(), also if the file cannot be read.
outcome<std::string> first_line_of(const std::string& path);

} // namespace pulse::redis
