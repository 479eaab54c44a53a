#pragma once

#include "pulse/core/dead_letter.hpp"
#include "pulse/resp/reply.hpp"
#include "pulse/resp/script.hpp"

#include <string>
#include <vector>

// Dead letters in Redis: the scripts that write and redrive them, and functions
// that read them.

namespace pulse::resp {

/// Copies an entry to the dead letters and acknowledges it. Does nothing if the
/// entry is not pending for the consumer any more.
/// KEYS: stream, dead letter stream, the sink's record of redrives. ARGV:
/// group, ID, how many letters to keep at most (0: all), consumer, then names
/// and values of fields to write after the fields of the entry.
/// Answers nil if the entry is not pending for the consumer, else [ID of the
/// letter, number of older letters that were removed because there were too
/// many].
const script& dead_letter_script();

/// Makes dead letters pending again for their sink.
/// KEYS: stream, dead letter stream, the sink's record of redrives. ARGV:
/// group, max_redrives, time in ms, then either "ids" and the IDs of letters,
/// or "range", first letter (may be "(id"), last letter, how many letters at
/// most.
/// Answers [redriven, skipped_limit, skipped_missing, ID of the last letter
/// that was examined or ""].
const script& redrive_script();

/// Key of the record of redrives of one sink on a stream.
std::string redrives_key(std::string_view stream, std::string_view sink);

/// Reads the reply to XRANGE on a dead letter stream. If a field is missing
/// because another program wrote the entry, its member stays empty.
outcome<std::vector<dead_letter>> read_dead_letters(cursor& at);

/// Reads the reply of redrive_script().
/// @param last Receives the ID of the last letter that was examined.
outcome<redrive_result> read_redrive(cursor& at, std::string& last);

} // namespace pulse::resp
