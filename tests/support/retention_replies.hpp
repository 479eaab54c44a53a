#pragma once

#include "pulse/core/options.hpp"
#include "pulse/resp/retention.hpp"

#include "support/resp_text.hpp"

#include <string>
#include <vector>

// What the script that agrees on the retention of a stream replies.

namespace pulse::test {

/// @param values Those of the options, as texts.
inline std::string reply_with_values(const std::vector<std::string>& values,
                                     uint64_t length) {
  auto bulk = [](const std::string& x) {
    return "$" + std::to_string(x.size()) + "\r\n" + x + "\r\n";
  };
  auto result = "*" + std::to_string(values.size() + 3) + "\r\n" + bulk("1");
  for (const auto& x : values)
    result += bulk(x);
  return result + ":" + std::to_string(length) + "\r\n:0\r\n";
}

/// The reply to that call of the script, if nothing was stored before.
inline std::string retention_reply(const argv& call, uint64_t length = 0) {
  std::vector<std::string> values;
  // EVALSHA sha 2 stream record mode, then name, default and choice.
  for (size_t i = 6; i + 2 < call.size(); i += 3)
    values.push_back(call[i + 2].empty() ? call[i + 1] : call[i + 2]);
  return reply_with_values(values, length);
}

/// The reply if this is stored.
inline std::string retention_reply(const stream_retention& x,
                                   uint64_t length = 0) {
  stream_options options;
  options.max_len = x.max_len;
  options.protect_unacked = x.protect_unacked;
  options.max_age = x.max_age;
  options.hard_max_len = x.hard_max_len;
  options.on_full = x.on_full;
  options.ttl = x.ttl;
  options.ttl_kind = x.ttl_kind;
  argv call{"EVALSHA", "", "2", "", ""};
  for (auto& arg :
       resp::retention_arguments(options, resp::retention_query::follow))
    call.push_back(std::move(arg));
  return retention_reply(call, length);
}

} // namespace pulse::test
