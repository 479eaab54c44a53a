#pragma once

#include "bench/stage.hpp"

#include <string>

namespace pulse::bench {

/// The stream that scenarios of sinks and readers drain.
inline constexpr auto full_stream = "bench";

/// @returns how many events that stream has.
size_t events_of_stream(const stage& at);

/// Adds these events.
void fill_stream(stage& at);

/// Reads a stream as one consumer of a group, and acknowledges each batch with
/// one XACK, until `events` events were read.
void drain_with_hiredis(raw_client& at, const std::string& stream,
                        const std::string& group, size_t events);

/// The command XACK for the entries of a reply to XREADGROUP.
std::string ack_command(const std::string& stream, const std::string& group,
                        const redisReply& entries);

} // namespace pulse::bench
