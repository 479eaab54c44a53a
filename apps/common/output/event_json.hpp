#pragma once

#include "pulse/core/event.hpp"

#include <string>
#include <string_view>

namespace pulse::apps {

/// Who writes about an event.
struct event_context {
  /// Name of the reader; empty if a sink delivered the event.
  std::string reader;
  /// Name of the node; empty: none, as in a command line tool.
  std::string node;
};

/// The event as one line of JSON, with its newline: stream, id, name, topic,
/// payload (payload_base64 if it is not UTF-8), sink and deliveries or reader,
/// node.
std::string json_line(const event& x, const event_context& context);

/// @returns whether `bytes` is well-formed UTF-8.
bool is_utf8(std::string_view bytes);

/// @returns the bytes in base64, with padding.
std::string base64(std::string_view bytes);

} // namespace pulse::apps
