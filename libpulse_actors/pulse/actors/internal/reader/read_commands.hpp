#pragma once

#include "pulse/actors/internal/runtime/messages.hpp"
#include "pulse/core/reading/cursor_set.hpp"
#include "pulse/core/reading/stream_position.hpp"
#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/reply.hpp"

#include <optional>
#include <string>
#include <vector>

// The commands of a reader, as batches for a connection, and the decoding of a
// reply that two parts of the reader need.

namespace pulse::internal {

/// Maximum time that a read blocks in Redis, and the time that the network may
/// add before the connection is given up. They are short enough to notice a
/// dead link soon, and long enough that an idle reader costs nothing.
constexpr milliseconds block_time{5'000};
constexpr milliseconds block_margin{2'000};

/// XREAD of the active streams, from their cursors on.
/// @param count Maximum number of events per stream, at least 1.
/// @param blocking Whether Redis waits for events, up to `block_time`.
command_ptr read_command(const cursor_set& streams, uint32_t count,
                         bool blocking);

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

/// XRANGE of events that a feed missed.
command_ptr range_command(const subscriber_feed::missing_range& range);

} // namespace pulse::internal
