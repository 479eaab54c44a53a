#pragma once

#include "pulse/core/event.hpp"
#include "pulse/resp/reply.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Functions that read the replies to stream commands. They check the shape of a
// reply strictly: another shape is `errc::protocol_error`. An error reply gets
// the code that classify() finds.

namespace pulse::resp {

/// The entries of one reply as events, which share the bytes of the reply.
struct event_page {
  /// Never null. Entries without the field n or p are in the block, but are not
  /// well-formed.
  std::shared_ptr<event_block> block;
  /// Pending entries that were deleted from the stream: the reply has their IDs
  /// without fields. Each has the index of its stream in the block.
  std::vector<std::pair<uint32_t, event_id>> deleted;
};

/// Reads the reply to XREAD or XREADGROUP: [[key, [entry…]]…], or nil if there
/// are no events. Moves the bytes out of `from`.
/// @param key_prefix Is removed from the keys to get the names of the streams.
outcome<event_page> read_page(reply& from, std::string_view key_prefix);

/// Reads the reply to XRANGE or XCLAIM: [entry…], all of `stream`. Moves the
/// bytes out of `from`.
outcome<event_page> range_page(reply& from, std::string stream);

/// Reads entries [id, [field, value, …]] or [id, nil] at `at` into `page`.
/// @pre The caller makes the bytes of this reply `page.block->bytes`.
status read_entries(cursor& at, uint32_t stream, event_page& page);

/// One line of XPENDING <key> <group> IDLE … (extended form).
struct pending_entry {
  event_id id;
  std::string_view consumer; // points into the reply
  int64_t idle_ms = 0;
  int64_t deliveries = 0;
};

outcome<std::vector<pending_entry>> pending_entries(cursor& at);

/// Reads an event ID. Error: protocol_error or a classified error reply.
outcome<event_id> read_id(cursor& at, std::string_view command);

/// Reads an integer. Error: as above.
outcome<int64_t> read_number(cursor& at, std::string_view command);

/// Reads "+OK" or any other status. Error: as above.
status read_ok(cursor& at, std::string_view command);

/// Reads a flat array of IDs. Error: as above.
outcome<std::vector<event_id>> read_ids(cursor& at, std::string_view command);

/// The rests of the pauses of entries that wait for their next attempt; 0: the
/// entry is due.
using pauses_by_id = std::map<event_id, std::chrono::milliseconds>;

/// Reads a flat array of IDs and times in ms. Error: as above.
outcome<pauses_by_id> read_pauses(cursor& at, std::string_view command);

/// The part of XINFO STREAM that the library uses.
struct stream_facts {
  uint64_t length = 0;
  uint64_t entries_added = 0;
  event_id last_generated;
  event_id first;
  event_id last;
  /// Highest ID that XDEL removed.
  event_id max_deleted;
};

outcome<stream_facts> read_stream_facts(cursor& at);

/// One group of XINFO GROUPS.
struct group_facts {
  std::string name;
  uint64_t consumers = 0;
  uint64_t pending = 0;
  event_id last_delivered;
  /// Number of entries that are not delivered yet; -1: Redis does not know it.
  int64_t lag = -1;
};

outcome<std::vector<group_facts>> read_group_facts(cursor& at);

/// One consumer of XINFO CONSUMERS.
struct consumer_facts {
  std::string name;
  uint64_t pending = 0;
  int64_t idle_ms = 0;
};

outcome<std::vector<consumer_facts>> read_consumer_facts(cursor& at);

} // namespace pulse::resp
