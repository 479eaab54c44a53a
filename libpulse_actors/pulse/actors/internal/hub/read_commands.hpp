#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/streams/stream_state.hpp"
#include "pulse/resp/command_batch.hpp"
#include "pulse/resp/reply.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

// The commands with which streams are read for readers, as batches for a
// connection, and the decoding of replies that several parts need.

namespace pulse::internal {

/// Maximum time that a read blocks in Redis, and the time that the network may
/// add before the connection is given up. They are short enough to notice a
/// dead link soon, and long enough that an idle hub costs nothing.
constexpr std::chrono::milliseconds block_time{5'000};
constexpr std::chrono::milliseconds block_margin{2'000};

/// XREAD of these streams, each after an ID.
/// @param count Maximum number of events per stream, at least 1.
/// @param blocking Whether Redis waits for events, up to `block_time`.
command_ptr read_command(const std::map<std::string, event_id>& streams,
                         uint32_t count, bool blocking);

/// One XREAD per stream, which shows whether Redis can read the stream, but
/// returns no events.
command_ptr probe_command(const std::vector<std::string>& streams);

/// XINFO STREAM for each stream.
/// @param repeatable Must be false if the answer has to describe the streams at
/// the moment between the commands before and after it on the same connection.
command_ptr position_command(const std::vector<std::string>& streams,
                             bool repeatable);

/// Decodes one reply to position_command(); empty if the stream does not exist.
outcome<std::optional<stream_state>> read_position(resp::cursor at);

} // namespace pulse::internal
