#pragma once

#include "pulse/core/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// Durations and sizes as people write them in files and on command lines.

namespace pulse::apps {

/// Reads "500ms", "15s", "2m", "1h" or "7d".
/// Error: `errc::invalid_option` that shows these forms.
outcome<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads as `x`.
std::string duration_text(std::chrono::milliseconds x);

/// Reads bytes: "4096", "64KiB", "8MiB", "1GiB".
/// Error: `errc::invalid_option` that shows these forms.
outcome<uint64_t> parse_size(std::string_view text);

/// The shortest text that parse_size() reads as `x`.
std::string size_text(uint64_t x);

} // namespace pulse::apps
