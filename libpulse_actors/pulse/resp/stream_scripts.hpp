#pragma once

#include "pulse/resp/script.hpp"

// The scripts of streams. All keys are passed as KEYS, as Redis requires.

namespace pulse::resp {

/// Adds events if XADD is not enough: for batches whose outcome is unknown, for
/// dedup IDs, and for a hard limit. The class add_batch writes the calls and
/// reads the replies. KEYS: stream, then one key for each dedup ID. Answers
/// [[ID, nil or error of each event], found, dropped]. Errors in the array:
/// STREAMFULL, DEDUPCONFLICT.
const script& add_script();

/// Trims a stream to about <max_len> entries and to a maximum age. With
/// protection it keeps entries that a consumer group has not read or not
/// acknowledged yet.
/// KEYS: stream. ARGV: max_len (0: none), max_age in ms (0: none), protect
/// ("1" or "0").
/// Answers [removed, length now, the group that keeps the oldest event or "",
/// age of that event in ms, for how many ms the nodes of that group have been
/// silent (-1: the group has no nodes)].
const script& trim_script();

/// Deletes a stream with its groups and metadata, but no key of another type.
/// KEYS: stream, then its metadata keys.
/// Answers 1 if the stream existed, else 0. Error: WRONGTYPE.
const script& destroy_script();

} // namespace pulse::resp
