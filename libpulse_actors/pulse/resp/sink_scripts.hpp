#pragma once

#include "pulse/resp/script.hpp"

// The scripts of sinks. All keys are passed as KEYS, as Redis requires.

namespace pulse::resp {

/// Renews the leases of a consumer: sets the idle time of its pending entries
/// to 0 if they have been idle for at least <min idle ms>. It also sets the
/// idle time of the consumer in XINFO CONSUMERS to 0, by a read that returns
/// nothing, so that other nodes see that the consumer is alive. KEYS: stream.
/// ARGV: group, consumer, min idle ms, "1" to list. Answers [trimmed, [id…]]:
/// how many of the entries had been trimmed from the stream (these are no
/// longer pending), and, if asked for, the IDs of all pending entries of the
/// consumer.
const script& renew_script();

/// Claims entries that have been idle for a whole lease: their nodes died, or
/// gave them back. KEYS: stream. ARGV: group, consumer, lease ms, how many
/// entries at most.
/// Answers [trimmed, [[id, former consumer, idle, deliveries]…], [entry…]].
/// XCLAIM checks the idle time again, so only one of two nodes gets an entry.
const script& take_over_script();

/// Gives pending entries back to the group, so that other nodes can claim them
/// at once: it assigns them to the consumer "released" with an idle time of one
/// lease.
/// KEYS: stream. ARGV: group, consumer, lease ms, "listed" or "all", then ID
/// and delivery count of each listed entry. With "all" it gives back all
/// entries of the consumer, and deletes the consumer if nothing is left.
/// Answers [released, deleted].
const script& release_script();

/// Sets the delivery counters of entries that the consumer still owns.
/// KEYS: stream. ARGV: group, consumer, then ID and delivery count of each.
/// Answers the IDs of the entries whose counter was set.
const script& count_script();

/// Deletes consumers that hold nothing and have been silent for a time.
/// KEYS: stream. ARGV: group, own consumer, min idle ms.
/// Answers how many consumers were deleted.
const script& clean_consumers_script();

/// Compares the entries that a group has read with the entries that its stream
/// had. So it finds entries that were trimmed before the group read them. It
/// corrects the group's count of read entries, so that only one node reports
/// each loss, and so that the lag is right.
/// KEYS: stream. ARGV: group, own consumer, entries removed from the stream at
/// the last audit (-1: there was none).
/// Answers [lost, "1" if that number is exact, entries removed, last delivered
/// ID, first ID, last ID, where the entries of other members may begin: "<id>"
/// for that ID, "(<id>" for a higher one, "" if there are no other members].
const script& audit_script();

} // namespace pulse::resp
