#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/reading/cursor_set.hpp"
#include "pulse/core/reading/stream_position.hpp"
#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/reply.hpp"

#include <optional>
#include <string>
#include <vector>

// The commands of a reader, as batches for a connection, and the answer that
// two of its parts ask for.

namespace pulse::internal {

/// Longest that a read stays blocked in Redis, and what the network may add
/// before the connection is given up. Short enough that a link that died is
/// noticed soon, long enough that an idle reader costs nothing.
constexpr milliseconds block_time{5'000};
constexpr milliseconds block_margin{2'000};

/// XREAD of the active streams, from their cursors on.
/// @param count Most events of one stream, at least 1.
/// @param blocking Wait for events, up to `block_time`.
command_ptr read_command(const cursor_set& streams, uint32_t count,
                         bool blocking);

/// One XREAD for each stream that shows whether it can be read, but reads
/// nothing.
command_ptr probe_command(const std::vector<std::string>& streams);

/// XINFO STREAM for each stream.
/// @param repeatable Not if the answer must be as old as its place among other
/// commands of the connection.
command_ptr position_command(const std::vector<std::string>& streams,
                             bool repeatable);

/// Reads one answer to it; nothing if the stream does not exist.
outcome<std::optional<stream_state>> read_position(resp::cursor at);

/// XRANGE of what a feed missed.
command_ptr range_command(const subscriber_feed::missing_range& range);

} // namespace pulse::internal
