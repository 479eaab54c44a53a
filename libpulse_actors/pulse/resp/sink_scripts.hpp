#pragma once

#include "pulse/resp/script.hpp"

// The scripts of sinks. Keys are declared; the arguments stand beside each.

namespace pulse::resp {

/// Keeps the leases of a consumer: resets the idle time of its pending entries
/// that are older than <min idle ms>, and shows that the consumer lives (it
/// reads nothing with the highest ID but one: XINFO CONSUMERS then shows idle
/// 0). KEYS: stream. ARGV: group, consumer, min idle ms, "1" to list. Answers
/// [trimmed, [id…]]: how many of them had been trimmed from the stream (they
/// are no longer pending), and, if asked for, all IDs that the consumer has
/// pending.
const script& renew_script();

/// Takes over entries that have been idle for a whole lease: they belonged to
/// dead nodes, or were handed back.
/// KEYS: stream. ARGV: group, consumer, lease ms, most entries.
/// Answers [trimmed, [[id, former consumer, idle, deliveries]…], [entry…]].
/// Claims are fenced by the idle time: of two takers one gets it.
const script& take_over_script();

/// Hands pending entries back to the group, for others to take at once: they
/// go to the consumer "released" with an idle time of one lease.
/// KEYS: stream. ARGV: group, consumer, lease ms, "all" (also what is not
/// listed, and then deletes the consumer if nothing is left) or "listed",
/// then id and delivery count of each.
/// Answers [released, deleted].
const script& release_script();

/// Sets the delivery counters of entries that the consumer still owns.
/// KEYS: stream. ARGV: group, consumer, then id and delivery count of each.
/// Answers the IDs of those that were set.
const script& count_script();

/// Deletes consumers that hold nothing and have been silent for a time.
/// KEYS: stream. ARGV: group, own consumer, min idle ms.
/// Answers how many.
const script& clean_consumers_script();

/// Compares what a group was given with what its stream had: finds what was
/// trimmed before the group came to it. Corrects the group's count of entries
/// read, so that of all nodes one hears of a loss, and the lag is right.
/// KEYS: stream. ARGV: group, own consumer, entries removed from the stream at
/// the last audit (-1: there was none).
/// Answers [lost, "1" if exactly as many, entries removed, last delivered ID,
/// first ID, last ID, lowest ID that other members may hold: "<id>", or "(<id>"
/// if higher, or "" if there are no others].
const script& audit_script();

} // namespace pulse::resp
