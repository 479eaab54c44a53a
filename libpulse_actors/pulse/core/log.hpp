#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pulse {

enum class log_level : uint8_t { debug, info, warning, error };

std::string to_string(log_level x);

/// Receives one line at a time, from any thread, several at once; must not
/// block for long.
using log_function = std::function<void(log_level, std::string_view)>;

/// Replaces the process-wide log function. The initial one writes warnings and
/// errors to stderr. An empty function switches logging off. Thread-safe.
/// (CAF's own logger is compiled out of Debian's packages.)
void set_log_function(log_function fn);

/// Hands `line` to the log function. `component` is the actor's name and, if
/// any, the thing it cares for: "pulse.sink billing". Thread-safe.
void log(log_level level, std::string_view component, std::string_view line);

} // namespace pulse
