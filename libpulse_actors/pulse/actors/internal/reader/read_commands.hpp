#pragma once

#include "pulse/core/reading/subscriber_feed.hpp"
#include "pulse/resp/command_batch.hpp"

namespace pulse::internal {

/// XRANGE of events that a feed missed, as a batch for a connection.
command_ptr range_command(const subscriber_feed::missing_range& range);

} // namespace pulse::internal
