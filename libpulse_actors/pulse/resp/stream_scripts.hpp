#pragma once

#include "pulse/resp/script.hpp"

// The scripts of streams. All keys are passed as KEYS, as Redis requires.

namespace pulse::resp {

/// Adds events if XADD is not enough: for batches whose outcome is unknown, for
/// dedup IDs, and for a hard limit. The class add_batch writes the calls and
/// reads the replies. KEYS: stream, its retention, then one key for each dedup
/// ID. Answers [[ID, nil or error of each event], found, removed, dropped].
/// Errors in the array: STREAMFULL, DEDUPCONFLICT.
const script& add_script();

/// Trims a stream to about <max_len> entries and to a maximum age. With
/// protection it keeps entries that a consumer group has not read or not
/// acknowledged yet.
/// KEYS: stream, its retention. ARGV, which count if no retention is stored:
/// max_len (0: none), max_age in ms (0: none), protect ("1" or "0").
/// Answers [removed, length now, the group that keeps the oldest event or "",
/// age of that event in ms, for how many ms the nodes of that group have been
/// silent (-1: the group has no nodes), how many of the removed entries not all
/// groups had acknowledged, at most].
const script& trim_script();

/// Agrees on what a stream keeps, see retention_query.
/// KEYS: stream, its retention. ARGV: mode ("check", "change" or "follow"),
/// then for each option its name, its default, and the value to set or "".
/// Answers ["1" if a retention is stored, the value of each option, length of
/// the stream, lost events]. Error: RETENTION.
const script& retention_script();

/// Deletes a stream with its groups and metadata, but no key of another type.
/// KEYS: stream, then its metadata keys.
/// Answers 1 if the stream existed, else 0. Error: WRONGTYPE.
const script& destroy_script();

} // namespace pulse::resp
