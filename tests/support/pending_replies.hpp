#pragma once

#include "support/read_replies.hpp"

#include <string>
#include <vector>

// Replies of Redis about pending entries, in RESP.

namespace pulse::test {

/// @returns the part of an XPENDING reply about one pending entry, <ms>-0.
struct pending_fact {
  uint64_t ms = 0;
  std::string consumer;
  int64_t delivery_counter = 1;
};

/// @returns the reply to XPENDING in its extended form.
inline std::string pending(const std::vector<pending_fact>& facts) {
  auto result = array_of(facts.size());
  for (const auto& x : facts)
    result += array_of(4) + bulk(to_string(event_id{x.ms, 0}))
              + bulk(x.consumer)
              + ":20000\r\n:" + std::to_string(x.delivery_counter) + "\r\n";
  return result;
}

/// The answer of the script take_over: what was pending, of which `trimmed` are
/// no longer in the stream; `list` holds the others, see entries(), and
/// `pauses` the IDs and rests of pauses of those that waited at their nodes;
/// `restored` are pending again because somebody deleted their consumer.
inline std::string taken(const std::vector<pending_fact>& facts,
                         const std::string& list, uint64_t trimmed = 0,
                         const std::string& pauses = array_of(0),
                         uint64_t restored = 0) {
  return array_of(7) + ":0\r\n:-1\r\n:" + std::to_string(restored) + "\r\n:"
         + std::to_string(trimmed) + "\r\n" + pending(facts) + pauses + list;
}

} // namespace pulse::test
