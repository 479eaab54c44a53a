#pragma once

#include "pulse/core/dead_letter.hpp"
#include "pulse/resp/reply.hpp"
#include "pulse/resp/script.hpp"

#include <string>
#include <vector>

// Dead letters in Redis: the scripts that write and redrive them, and what
// stands in them.

namespace pulse::resp {

/// Moves an entry to the dead letters and acknowledges it; nothing if it is
/// not pending any more.
/// KEYS: stream, dead letter stream, the sink's record of redrives. ARGV:
/// group, id, most letters to keep (0: all), then pairs of fields to write
/// behind the entry's own.
/// Answers nil, or [ID of the letter, number of older letters that were
/// removed to make room].
const script& dead_letter_script();

/// Makes dead letters pending again for their sink.
/// KEYS: stream, dead letter stream, the sink's record of redrives. ARGV:
/// group, max_redrives, time in ms, then either "ids" and letter IDs; or
/// "range", first letter (may be "(id"), last letter, most letters.
/// Answers [redriven, skipped_limit, skipped_missing, last letter seen or ""].
const script& redrive_script();

/// Key of the record of redrives of one sink on a stream.
std::string redrives_key(std::string_view stream, std::string_view sink);

/// Answer of XRANGE on a dead letter stream. Fields that are missing, since
/// somebody else wrote the entry, stay empty.
outcome<std::vector<dead_letter>> read_dead_letters(cursor& at);

/// Answer of redrive_script(). @param last Receives the last letter seen.
outcome<redrive_result> read_redrive(cursor& at, std::string& last);

} // namespace pulse::resp
