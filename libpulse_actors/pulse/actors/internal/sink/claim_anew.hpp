#pragma once

#include "pulse/actors/internal/sink/context.hpp"

#include <functional>
#include <vector>

namespace pulse::internal {

/// Claims events anew that a sink holds and that are pending for nobody. That
/// happens if somebody deletes the consumer of the sink (XGROUP DELCONSUMER):
/// its pending list vanishes.
///
/// An event that is pending for nobody may also have been acknowledged, and
/// then it must not come back. These are the ways in which that can happen:
///
/// - The sink itself acknowledged it. The caller passes only events whose
///   outcome was not decided when Redis said that they are not pending for this
///   sink, so no ack was sent before. An ack that is decided later is sent
///   later on the same connection, so Redis executes it after this claim. The
///   claim is not repeated after a lost connection, where such an ack may come
///   first. (The late answer of a worker may acknowledge an event that waits
///   for its next attempt. Writers of other outcomes look at the acks under
///   way.)
/// - A member that had the event before acknowledged it late. Such acks are
///   noted in Redis (see sink_ack_writer), and these events are not claimed.
/// - Another member took the event over after the lease of this one, and
///   acknowledged it. So the caller must check sink_context::kept_in_time()
///   after the reply that says that the event is not pending for this sink.
///   From then on nobody can take the event over, because it is in no pending
///   list.
/// - This sink gave the event back or made it a dead letter, and Redis executed
///   that twice, because the connection was lost. So these commands are not
///   repeatable if their events were only here, and an event with which such a
///   command failed does not count as only here any more. It is claimed only
///   together with one that was, which proves the deletion.
///
/// If somebody destroyed the group, another member created it again, and the
/// events were read and acknowledged there, this node cannot see that unless it
/// found the group missing itself. If the clock of Redis jumps forward, other
/// members may take events over and acknowledge them although the lease was
/// kept in time. An ack that was sent in time may arrive so late that another
/// member has taken its event over. In these cases such an event may be
/// delivered twice.
///
/// @param xs Those that were only here stand first.
/// @param then Called with the IDs of the claimed events, sorted.
void claim_anew(
  sink_context& ctx, uint32_t stream,
  std::vector<delivery_ledger::held_event> xs,
  std::function<void(const outcome<std::vector<event_id>>&)> then);

} // namespace pulse::internal
