#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pulse {

/// How important a log line is.
enum class log_level : uint8_t { debug, info, warning, error };

/// @returns the enumerator's name, e.g. "warning".
std::string to_string(log_level x);

/// Receives one log line per call. Several threads may call it at the same
/// time. It must not block for long.
using log_function = std::function<void(log_level, std::string_view)>;

/// Replaces the log function of the whole process. The default one writes
/// warnings and errors to stderr. An empty function switches logging off.
/// Thread-safe. (The library has a log function of its own because Debian's
/// packages of CAF are built without CAF's logger.)
void set_log_function(log_function fn);

/// Passes `line` to the log function. `component` is the actor's name and, if
/// there is one, the name of the thing that the actor serves, e.g. "pulse.sink
/// billing". Thread-safe.
void log(log_level level, std::string_view component, std::string_view line);

} // namespace pulse
