#pragma once

#include "pulse/resp/script.hpp"

#include <string>
#include <string_view>

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

/// Claims entries that nobody works on: those that have been idle for a whole
/// lease, because their nodes died or gave them back, and those that waited for
/// their next attempt and are due now. KEYS: stream, delayed_key(),
/// paused_key(). ARGV: group, consumer, lease ms, how many entries at most,
/// "all" or "due" (the latter only). Answers [waiting, ms until the next one is
/// due or -1, restored, trimmed, [[id, former consumer, idle, deliveries]…],
/// [ID, rest of its pause in ms, …] of those that waited at their nodes,
/// [entry…]]. Restored are entries that are pending again because somebody had
/// deleted the consumer "delayed".
const script& take_over_script();

/// Hands over pending entries, so that no node owns them: those that failed to
/// the consumer "delayed" until they are due, and those that only wait for a
/// worker to the consumer "released". KEYS: stream, delayed_key(). ARGV: group,
/// consumer, lease ms, then ID, delivery count and pause in ms (-1: released)
/// of each entry. Answers [waiting, ms until the next one is due or -1,
/// [trimmed ID…], [ID that is pending for nobody…], restored].
const script& delay_script();

/// @returns the key of the sorted set of the entries of a sink that wait for
/// their next attempt.
std::string delayed_key(std::string_view stream, std::string_view sink);

/// @returns the key of the sorted set of the entries of a sink that wait for
/// their next attempt at the consumers that they are pending for.
std::string paused_key(std::string_view stream, std::string_view sink);

/// Gives a member of a keyed sink the next entries of the keys that it owns,
/// and shares the keys among the members. KEYS: stream, members_key(),
/// wake_key(), delayed_key(), paused_key(). ARGV: group, consumer, lease ms,
/// how many entries at most, how many entries may wait for their owners at
/// most, "1" if the member has workers, "1" if it may be reading the stream
/// itself, "1" to look for dead members and to share the partitions, for how
/// many ms after a death nobody reads alone, then the partitions that the
/// member gives up. Answers [1 if the member may read the stream itself, names
/// of the other members, 1 to look again at once, entries that wait for this
/// member, for all members, the consumer that blocks the others or "", the ID
/// after which this member waits for entries or "", the ID after which it waits
/// for a wake-up, [partition…] of the member, [partition…] that it shall give
/// up, [trimmed ID…],
/// [[id, former consumer, idle, deliveries]…], [ID, rest of its pause in ms, …]
/// of those that waited for their next attempt, [entry…]]. New entries are only
/// in the last list.
const script& share_script();

/// Renews memberships in many streams where nothing has changed since the
/// member's last call of share_script(), and where a call would bring nothing.
/// KEYS: of each stream: the stream, members_key(), wake_key(). ARGV: group,
/// consumer, lease ms, for how many ms after a death nobody reads alone, then
/// of each stream: the names of the other members, the ID after which this one
/// waits for a wake-up, and the one after which it waits for entries or "", as
/// share_script() answered them. Answers a character for each stream, see
/// stay_answer.
const script& stay_script();

/// Ends a membership: frees the partitions of a consumer. KEYS: stream,
/// members_key(), wake_key(). ARGV: group, consumer. Answers [partitions that
/// were freed, [trimmed ID…]].
const script& leave_script();

/// Ends a consumer whose sink has died: any member may claim its entries at
/// once, as those of a dead node. KEYS: stream, members_key(). ARGV: group,
/// consumer, lease ms. Answers [freed, [trimmed ID…]].
const script& end_consumer_script();

/// @returns the key of the hash of the members of a keyed sink, and of the
/// stream that wakes them.
std::string members_key(std::string_view stream, std::string_view sink);
std::string wake_key(std::string_view stream, std::string_view sink);

/// Gives pending entries back to the group, so that other nodes can claim them
/// at once: it assigns them to the consumer "released" with an idle time of one
/// lease, or to "delayed" if they failed and are not due yet.
/// KEYS: stream, delayed_key(), position_key(). ARGV: group, consumer, lease
/// ms, "listed" or "all", then ID, delivery count and pause in ms (-1: none) of
/// each listed entry. With "all" it gives back all entries of the consumer, and
/// deletes the consumer if nothing is left.
/// Answers [released, deleted, [listed ID that is pending for nobody…],
/// [trimmed ID…], restored].
const script& release_script();

/// Claims entries anew that a sink holds, and that are pending for nobody
/// because somebody deleted its consumer. KEYS: stream, late_acks_key(). ARGV:
/// group, new owner, idle ms, how many of the entries no other node can have
/// acknowledged in time, then ID and delivery count of each entry, those first.
/// If none of those is pending for nobody, nothing is claimed. Answers the IDs
/// of the claimed entries.
const script& keep_script();

/// @returns the key of the sorted set of the entries of a sink that were
/// acknowledged late: by a node that may have lost them to another one.
std::string late_acks_key(std::string_view stream, std::string_view sink);

/// Sets the delivery counters of entries that the consumer still owns, and
/// notes which of them wait at the consumer for their next attempt. KEYS:
/// stream, paused_key(). ARGV: group, consumer, then ID, delivery count and
/// pause in ms
/// (-1: it does not wait) of each.
/// Answers the IDs of the entries whose counter was set.
const script& count_script();

/// Deletes consumers that hold nothing and have been silent for a time.
/// KEYS: stream, delayed_key(). ARGV: group, own consumer, min idle ms.
/// Answers how many consumers were deleted.
const script& clean_consumers_script();

/// Describes a stream and a group of it at one moment. It corrects the group's
/// count of read entries if the right count is known, so that only one node
/// finds each difference, and so that the lag is right.
/// KEYS: stream, position_key(), members_key(). ARGV: group, own consumer, last
/// entry that the sink read, "1" if the sink has audited the group before, "1"
/// to set the count of read entries also if it is right, where the group would
/// have to begin again, for how many ms that is stored, "1" to count keyed
/// members. Answers [length, entries added, first ID, last ID, highest ID that
/// XDEL removed, last delivered ID of the group, its count of read entries
/// before the correction (-1: unknown), the right count (-1: unknown), 1 if the
/// count was corrected, 1 if the stream has that last entry, where the entries
/// of other members may begin: "<id>" for that ID, "(<id>" for a higher one, ""
/// if there are no other members, how many entries are pending for this one,
/// the lowest of them or "", how many members are keyed].
const script& audit_script();

/// Creates a group unless there is one. A group that somebody deleted while
/// members used it begins again at its position. KEYS: stream, position_key(),
/// delayed_key(), late_acks_key(). ARGV: group, ID after which a new group
/// begins or "$". Answers [ID after which a deleted group was created again or
/// "", last delivered ID, lowest pending ID or ""].
const script& open_group_script();

/// @returns the key of the ID before which a sink has acknowledged all entries.
/// It expires some time after the last member was there.
std::string position_key(std::string_view stream, std::string_view sink);

/// Creates a group on a stream of which the caller has seen the facts, unless
/// the stream was deleted since then.
/// KEYS: stream, delayed_key(), late_acks_key(). ARGV: group, ID after which
/// the group begins, how many entries it has read, how many entries the stream
/// had, last ID of the stream (both 0 if there was no stream); optional: an ID,
/// a later ID, a number, and another ID after which the group begins if the
/// stream has exactly so many entries after the one ID and up to the other.
/// Answers 1, 2 if the group begins after that other ID, or 0 if the stream was
/// deleted.
const script& create_group_script();

} // namespace pulse::resp
