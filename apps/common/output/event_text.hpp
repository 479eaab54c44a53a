#pragma once

#include "pulse/core/event.hpp"

#include <string>
#include <string_view>

namespace pulse::apps {

/// The time in an event's ID: "2026-11-23T10:00:00.123Z".
std::string time_text(event_id x);

/// The text with control characters escaped, so that it cannot drive the
/// terminal of whoever looks at it.
std::string escaped(std::string_view text);

/// The event as one line for people, with its newline: time, stream, ID, name,
/// topic in brackets, payload. Control characters are escaped: an event must
/// not drive the terminal of whoever looks at it.
std::string text_line(const event& x);

} // namespace pulse::apps
