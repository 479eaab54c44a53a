#pragma once

#include "pulse/core/event.hpp"
#include "pulse/resp/reply.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Typed forms of what stream commands answer. Shapes are checked strictly:
// anything else is `errc::protocol_error`, an error reply is classified.

namespace pulse::resp {

/// Entries of one reply as events that share the reply's bytes.
struct event_page {
  /// Never null. Entries without n or p are in it, but not well-formed.
  std::shared_ptr<event_block> block;
  /// IDs that the reply names without fields: deleted from the stream, yet
  /// still pending (own history), by stream index of the block.
  std::vector<std::pair<uint32_t, event_id>> deleted;
};

/// Answer of XREAD and XREADGROUP: [[key, [entry…]]…] or nil (nothing new).
/// Takes the bytes out of `from`.
/// @param key_prefix Stripped from the keys to get the streams' names.
outcome<event_page> read_page(reply& from, std::string_view key_prefix);

/// Answer of XRANGE and XCLAIM: [entry…], all of `stream`. Takes the bytes.
outcome<event_page> range_page(reply& from, std::string stream);

/// Reads entries [id, [field, value, …]] or [id, nil] at `at` into `page`.
/// @pre `page.block->bytes` will be the bytes of the cursor's reply.
status read_entries(cursor& at, uint32_t stream, event_page& page);

/// One line of XPENDING <key> <group> IDLE … (extended form).
struct pending_entry {
  event_id id;
  std::string_view consumer; // into the reply
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

/// XINFO STREAM, as far as we use it.
struct stream_facts {
  uint64_t length = 0;
  uint64_t entries_added = 0;
  event_id last_generated;
  event_id first;
  event_id last;
};

outcome<stream_facts> read_stream_facts(cursor& at);

/// One group of XINFO GROUPS.
struct group_facts {
  std::string name;
  uint64_t consumers = 0;
  uint64_t pending = 0;
  event_id last_delivered;
  /// Entries not delivered yet; -1: Redis does not know.
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
