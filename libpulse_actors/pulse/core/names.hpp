#pragma once

#include "pulse/core/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse {

/// Upper bound for names, in bytes.
inline constexpr size_t max_name_size = 512;

/// Checks a name of a stream, sink, event, topic or node: 1 to 512 bytes, no
/// space, no control character, none of `*?[]`. The same rules as
/// goadesign/pulse, so that both may share streams.
/// @param what Kind and role for the message, e.g. "stream name".
/// Error: `errc::invalid_name` with the name (shortened), the rule it breaks
/// and the byte position.
status check_name(std::string_view what, std::string_view name);

/// Redis key of a stream: "pulse:stream:<name>".
std::string stream_key(std::string_view stream);

/// Name of the stream in which a sink leaves what it gave up:
/// "<stream>:dead:<sink>".
std::string dead_letter_stream(std::string_view stream, std::string_view sink);

/// Redis key of metadata about a stream: "{pulse:stream:<name>}:<what>". The
/// braces keep it in the stream's slot of a Redis Cluster.
std::string metadata_key(std::string_view stream, std::string_view what);

/// Name of a consumer, new for each sink instance:
/// "<host>.<pid>.<26 characters, the first ten of time>".
/// @param now_ms Unix time in milliseconds.
/// @param random 80 random bits in the two values.
std::string consumer_name(std::string_view host, int64_t pid, uint64_t now_ms,
                          uint64_t random_high, uint64_t random_low);

} // namespace pulse
