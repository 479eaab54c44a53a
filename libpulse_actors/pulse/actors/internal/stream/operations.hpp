#pragma once

#include "pulse/actors/internal/stream/work.hpp"

#include <string>
#include <vector>

// The commands of a stream actor besides adds, and the decoding of their
// replies.

namespace pulse::internal {

/// Commands, and the function that makes the reply to a request from their
/// reply.
struct stream_operation {
  command_ptr commands;
  pending_operation::handler on_reply;
};

/// XDEL; replies with the number of events that existed.
stream_operation remove_events(const std::string& key,
                               const std::vector<event_id>& ids);

/// XRANGE; replies with the events.
stream_operation read_range(const std::string& key, const range_query& query);

/// XTRIM; replies with the number of events that were removed.
stream_operation trim_exactly(const std::string& key, uint64_t max_len);

/// XINFO and HMGET; replies with a stream_info that contains these counters.
/// @param counters Are read when Redis has replied; must outlive the operation.
stream_operation read_info(const resp::add_format& format,
                           const stream_counters& counters);

/// UNLINK; replies whether the stream existed.
stream_operation destroy_stream(const resp::add_format& format);

/// Trims the stream to what it keeps, see resp::trim_script().
command_ptr trim_by_retention(const resp::add_format& format);

/// The reply of trim_by_retention().
struct trimmed {
  uint64_t removed = 0;
  uint64_t length = 0;
  /// The sink that needs the oldest events; empty if there is none.
  std::string held_by;
  milliseconds oldest_age{0};
  /// How long no node of that sink has contacted Redis; -1 ms: it has no node.
  milliseconds holder_silence{0};
  /// How many of the removed events not all sinks had acknowledged, at most.
  uint64_t lost = 0;
};

outcome<trimmed> read_trimmed(const resp::reply& from);

/// @returns the failure with the name of the stream in its text. If the text is
/// one of Redis, it also gets the advice for its code.
failure about_stream(const std::string& name, const failure& x);

} // namespace pulse::internal
