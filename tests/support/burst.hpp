#pragma once

#include "support/raw_client.hpp"

#include <string>

namespace pulse::test {

/// Adds `count` events and keeps only the last `keep` of them, in one step.
inline void burst(raw_client& raw, const std::string& stream, int count,
                  int keep) {
  raw({"EVAL",
       "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'n', 'n', "
       "'p', i) end redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[2])",
       "1", raw_client::stream_key_of(stream), std::to_string(count),
       std::to_string(keep)});
}

} // namespace pulse::test
