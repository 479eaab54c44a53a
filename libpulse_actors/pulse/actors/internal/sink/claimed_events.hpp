#pragma once

#include "pulse/actors/internal/sink/intake.hpp"
#include "pulse/core/delivery/claim_history.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <vector>

namespace pulse::internal {

/// @param facts What Redis knew about the claimed events before the claim.
/// @param paused The claimed events that waited for their next attempt.
/// @param claimed The claimed events. This list and `facts` are sorted by ID.
/// @returns what is known about each claimed event.
std::vector<claim_history>
histories_of(const std::vector<resp::pending_entry>& facts,
             const resp::pauses_by_id& paused,
             const std::vector<event_extent>& claimed);

/// Makes a claimed event a dead letter if it has been tried too often.
/// @returns whether that is so; otherwise the event is to be delivered.
bool give_up_claimed(const sink_context& ctx, sink_outcome_writer& outcomes,
                     uint32_t stream, event_id id,
                     const claim_history& history);

} // namespace pulse::internal
