#pragma once

#include "pulse/actors/internal/stream/work.hpp"

#include <string>
#include <vector>

// What a stream actor asks of Redis besides adding: the commands, and what
// their replies mean.

namespace pulse::internal {

/// Commands whose reply answers a request.
struct stream_operation {
  command_ptr commands;
  pending_operation::handler on_reply;
};

/// XDEL: answers how many existed.
stream_operation remove_events(const std::string& key,
                               const std::vector<event_id>& ids);

/// XRANGE: answers the events.
stream_operation read_range(const std::string& key, const range_query& query);

/// XTRIM: answers how many were removed.
stream_operation trim_exactly(const std::string& key, uint64_t max_len);

/// XINFO: answers a stream_info with these counters.
stream_operation read_info(const std::string& key,
                           const stream_counters& counters);

/// UNLINK: answers whether the stream existed.
stream_operation destroy_stream(const std::string& key);

/// Trims as the options say, see resp::trim_script().
command_ptr trim_by_options(const std::string& key, const stream_options& x);

/// What such a trim answers.
struct trimmed {
  uint64_t removed = 0;
  uint64_t length = 0;
  /// The sink that needs the oldest events; empty if there is none.
  std::string held_by;
  milliseconds oldest_age{0};
  /// Since when nothing was heard of that sink's nodes; -1 ms: it has none.
  milliseconds holder_silence{0};
};

outcome<trimmed> read_trimmed(const resp::reply& from);

/// The failure with the stream's name, and with what to do if the text is
/// Redis' own.
failure about_stream(const std::string& name, const failure& x);

} // namespace pulse::internal
