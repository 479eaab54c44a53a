#pragma once

#include "pulse/resp/stream_replies.hpp"

#include <string>

namespace pulse::bench {

/// @returns the reply to an XREADGROUP that read `events` events of stream "s"
/// with topics "t0" to "t9" in turn.
std::string reply_with(size_t events, size_t payload);

/// @returns these events, as a sink gets them.
resp::event_page page_with(size_t events, size_t payload);

} // namespace pulse::bench
