#pragma once

#include "pulse/core/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse {

/// Maximum size of a name, in bytes.
inline constexpr size_t max_name_size = 512;

/// Checks the name of a stream, sink, event, topic or node: 1 to 512 bytes, no
/// space, no control character, none of `*?[]`. goadesign/pulse has the same
/// rules, so both programs can use the same streams.
/// @param what What is named, for the error text, e.g. "stream name".
/// Error: `errc::invalid_name`; its text has the name (shortened), the rule
/// that the name breaks and the byte position.
status check_name(std::string_view what, std::string_view name);

/// @returns the Redis key of a stream: "pulse:stream:<name>".
std::string stream_key(std::string_view stream);

/// @returns the name of the stream in which a sink stores its dead letters:
/// "<stream>:dead:<sink>".
std::string dead_letter_stream(std::string_view stream, std::string_view sink);

/// Checks that the dead letters of a sink of this name have a stream of their
/// own: stream "a:dead:b" with sink "c" has the same dead letter stream as
/// stream "a" with sink "b:dead:c". So the name of a sink must neither contain
/// ":dead:" nor start with "dead:". Error: `errc::invalid_name`.
status check_dead_letter_sink(std::string_view sink);

/// @returns the Redis key of metadata about a stream:
/// "{pulse:stream:<name>}:<what>". The braces make a Redis Cluster keep the
/// metadata of a stream in one slot.
std::string metadata_key(std::string_view stream, std::string_view what);

/// @returns the Redis key that stores what a stream keeps.
std::string retention_key(std::string_view stream);

/// @returns a consumer name, which is new for each sink instance:
/// "<host>.<pid>.<26 characters>". The first 10 characters encode the time, the
/// other 16 are random.
/// @param now_ms Unix time in milliseconds.
/// @param random_high, random_low Together at least 80 random bits.
std::string consumer_name(std::string_view host, int64_t pid, uint64_t now_ms,
                          uint64_t random_high, uint64_t random_low);

} // namespace pulse
