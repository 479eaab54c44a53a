#pragma once

#include "pulse/resp/script.hpp"

// The scripts of streams. Keys are declared; the arguments stand beside each.

namespace pulse::resp {

/// Adds events where XADD is not enough: batches whose outcome is unknown,
/// dedup IDs, a hard limit. KEYS: stream, then one per dedup ID. Built and read
/// by add_batch. Answers [[ID, nil or error of each event], found, dropped].
/// Errors in the array: STREAMFULL, DEDUPCONFLICT.
const script& add_script();

/// Trims a stream to about <max_len> entries and a greatest age, but removes
/// nothing that some consumer group has not been given yet or has not
/// acknowledged, unless told so.
/// KEYS: stream. ARGV: max_len (0: none), max_age in ms (0: none), protect
/// ("1" or "0").
/// Answers [removed, length now, group that holds back the most or "", age of
/// the oldest event in ms, ms since that group's nodes were heard of (-1: it
/// has none)].
const script& trim_script();

/// Deletes a stream with its groups and metadata, but no key of another type.
/// KEYS: stream, then its metadata keys.
/// Answers 1 if the stream existed, else 0. Error: WRONGTYPE.
const script& destroy_script();

} // namespace pulse::resp
