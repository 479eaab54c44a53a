#pragma once

#include "pulse/resp/script.hpp"

// The scripts of streams. Keys are declared; the arguments stand beside each.

namespace pulse::resp {

/// Trims a stream to about <max_len> entries, but removes nothing that some
/// consumer group has not been given yet or has not acknowledged.
/// KEYS: stream. ARGV: max_len (> 0).
/// Answers [removed, length now, group that holds back the most or ""].
const script& trim_script();

/// Deletes a stream with its groups and metadata, but no key of another type.
/// KEYS: stream, then its metadata keys.
/// Answers 1 if the stream existed, else 0. Error: WRONGTYPE.
const script& destroy_script();

} // namespace pulse::resp
