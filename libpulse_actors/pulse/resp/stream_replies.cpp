#include "pulse/resp/stream_replies.hpp"

#include <limits>

namespace pulse::resp {

namespace {

// Returns a failure for a node that has not the expected shape. The node may be
// an error reply.
failure mismatch(std::string_view command, const cursor& at) {
  return at.is(node_type::error) ? error_of(at) : unexpected_reply(command, at);
}

bool read_id_text(cursor& at, event_id& id) {
  if (!at.is(node_type::string))
    return false;
  auto parsed = parse_event_id(at.text());
  if (!parsed.ok() || at.text().find('-') == std::string_view::npos)
    return false;
  id = *parsed;
  at.skip();
  return true;
}

bool read_count(cursor& at, uint64_t& value) {
  int64_t number = 0;
  if (!at.is(node_type::integer) || at.peek().value < 0)
    return false;
  at.read_integer(number);
  value = static_cast<uint64_t>(number);
  return true;
}

// Positions in an event block have 32 bits, so a larger reply is refused.
bool read_part(cursor& at, uint32_t& pos, uint32_t& len) {
  if (!at.is(node_type::string)
      || at.peek().value + at.peek().size
           > int64_t{std::numeric_limits<uint32_t>::max()})
    return false;
  pos = static_cast<uint32_t>(at.peek().value);
  len = at.peek().size;
  at.skip();
  return true;
}

bool read_field(cursor& at, event_extent& x) {
  std::string_view field;
  if (!at.is(node_type::string) || !at.read_text(field))
    return false;
  uint32_t pos = 0;
  uint32_t len = 0;
  if (!read_part(at, pos, len))
    return false;
  // If an entry has a field twice, the last one counts, as in goadesign/pulse.
  if (field == "n") {
    x.has_name = true;
    x.name_pos = pos;
    x.name_len = len;
  } else if (field == "p") {
    x.has_payload = true;
    x.payload_pos = pos;
    x.payload_len = len;
  } else if (field == "t") {
    x.topic_pos = pos;
    x.topic_len = len;
  }
  return true;
}

bool read_entry(cursor& at, uint32_t stream, event_page& page) {
  uint32_t size = 0;
  event_extent x;
  x.stream = stream;
  if (!at.is(node_type::array) || at.peek().size != 2 || !at.read_array(size)
      || !read_id_text(at, x.id))
    return false;
  if (at.read_nil()) {
    page.deleted.emplace_back(stream, x.id);
    return true;
  }
  if (!at.is(node_type::array) || at.peek().size % 2 != 0)
    return false;
  at.read_array(size);
  for (; size > 0; size -= 2)
    if (!read_field(at, x))
      return false;
  page.block->extents.push_back(x);
  return true;
}

// Reads one element of the reply to XREAD: [key, [entry…]].
status read_stream(cursor& at, std::string_view key_prefix, event_page& page) {
  uint32_t size = 0;
  std::string_view key;
  if (!at.is(node_type::array) || at.peek().size != 2)
    return mismatch("XREAD", at);
  at.read_array(size);
  const auto here = at;
  if (!at.is(node_type::string) || !at.read_text(key)
      || key.substr(0, key_prefix.size()) != key_prefix)
    return mismatch("XREAD", here);
  key.remove_prefix(key_prefix.size());
  const auto index = static_cast<uint32_t>(page.block->streams.size());
  page.block->streams.emplace_back(key);
  return read_entries(at, index, page);
}

outcome<event_page> finish(const cursor& at, reply& from, event_page page) {
  if (!at.at_end())
    return mismatch("a read of events", at);
  page.block->bytes = std::move(from.bytes);
  from = reply{};
  return page;
}

// XINFO answers flat arrays of names and values. `on_field` reads or skips the
// value of a field, and returns whether the value had the expected shape.
template <class F>
status read_map(cursor& at, std::string_view command, F on_field) {
  if (!at.is(node_type::array) || at.peek().size % 2 != 0)
    return mismatch(command, at);
  uint32_t size = 0;
  at.read_array(size);
  for (; size > 0; size -= 2) {
    std::string_view field;
    if (!at.read_text(field) || at.at_end() || !on_field(field))
      return mismatch(command, at);
  }
  return {};
}

bool read_string(cursor& at, std::string& out) {
  std::string_view text;
  if (!at.read_text(text))
    return false;
  out = text;
  return true;
}

// Reads an entry [id, [field…]] or nil, and keeps only the ID.
bool read_entry_id(cursor& at, event_id& id) {
  if (at.read_nil())
    return true;
  uint32_t size = 0;
  if (!at.is(node_type::array) || at.peek().size != 2 || !at.read_array(size)
      || !read_id_text(at, id))
    return false;
  at.skip();
  return true;
}

template <class T, class F>
outcome<std::vector<T>>
read_list(cursor& at, std::string_view command, F read_one) {
  uint32_t size = 0;
  if (!at.read_array(size))
    return mismatch(command, at);
  std::vector<T> result;
  for (; size > 0; --size) {
    T x;
    if (auto ok = read_one(x); !ok)
      return ok.error();
    result.push_back(std::move(x));
  }
  return result;
}

bool read_pending(cursor& at, pending_entry& x) {
  uint32_t size = 0;
  return at.is(node_type::array) && at.peek().size == 4 && at.read_array(size)
         && read_id_text(at, x.id) && at.read_text(x.consumer)
         && at.read_integer(x.idle_ms) && at.read_integer(x.deliveries);
}

} // namespace

// -- events -------------------------------------------------------------------

outcome<event_page> read_page(reply& from, std::string_view key_prefix) {
  cursor at{from};
  event_page page;
  page.block = std::make_shared<event_block>();
  if (at.read_nil())
    return finish(at, from, std::move(page));
  uint32_t size = 0;
  if (!at.read_array(size))
    return mismatch("XREAD", at);
  for (; size > 0; --size)
    if (auto ok = read_stream(at, key_prefix, page); !ok)
      return ok.error();
  return finish(at, from, std::move(page));
}

outcome<event_page> range_page(reply& from, std::string stream) {
  cursor at{from};
  event_page page;
  page.block = std::make_shared<event_block>();
  page.block->streams.push_back(std::move(stream));
  if (auto ok = read_entries(at, 0, page); !ok)
    return ok.error();
  return finish(at, from, std::move(page));
}

status read_entries(cursor& at, uint32_t stream, event_page& page) {
  uint32_t size = 0;
  if (!at.read_array(size))
    return mismatch("a read of events", at);
  page.block->extents.reserve(page.block->extents.size() + size);
  for (; size > 0; --size)
    if (!read_entry(at, stream, page))
      return mismatch("a read of events", at);
  return {};
}

// -- single values ------------------------------------------------------------

outcome<std::vector<pending_entry>> pending_entries(cursor& at) {
  return read_list<pending_entry>(at, "XPENDING", [&](auto& x) -> status {
    if (read_pending(at, x))
      return {};
    return mismatch("XPENDING", at);
  });
}

outcome<event_id> read_id(cursor& at, std::string_view command) {
  event_id id;
  if (!read_id_text(at, id))
    return mismatch(command, at);
  return id;
}

outcome<int64_t> read_number(cursor& at, std::string_view command) {
  int64_t number = 0;
  if (!at.read_integer(number))
    return mismatch(command, at);
  return number;
}

outcome<pauses_by_id> read_pauses(cursor& at, std::string_view command) {
  pauses_by_id result;
  uint32_t size = 0;
  if (!at.read_array(size) || size % 2 != 0)
    return mismatch(command, at);
  for (; size > 0; size -= 2) {
    auto id = read_id(at, command);
    if (!id)
      return id.error();
    auto pause = read_number(at, command);
    if (!pause)
      return pause.error();
    result.emplace(*id, *pause);
  }
  return result;
}

status read_ok(cursor& at, std::string_view command) {
  if (!at.is(node_type::status))
    return mismatch(command, at);
  at.skip();
  return {};
}

outcome<std::vector<event_id>> read_ids(cursor& at, std::string_view command) {
  return read_list<event_id>(at, command, [&](auto& x) -> status {
    if (read_id_text(at, x))
      return {};
    return mismatch(command, at);
  });
}

// -- XINFO --------------------------------------------------------------------

outcome<stream_facts> read_stream_facts(cursor& at) {
  stream_facts x;
  bool has_length = false;
  bool has_last = false;
  const auto start = at;
  auto ok = read_map(at, "XINFO STREAM", [&](std::string_view field) {
    if (field == "length")
      return has_length = read_count(at, x.length);
    if (field == "last-generated-id")
      return has_last = read_id_text(at, x.last_generated);
    if (field == "max-deleted-entry-id")
      return read_id_text(at, x.max_deleted);
    if (field == "entries-added")
      return read_count(at, x.entries_added);
    if (field == "first-entry")
      return read_entry_id(at, x.first);
    if (field == "last-entry")
      return read_entry_id(at, x.last);
    at.skip();
    return true;
  });
  if (!ok)
    return ok.error();
  if (!has_length || !has_last)
    return unexpected_reply("XINFO STREAM", start);
  return x;
}

outcome<std::vector<group_facts>> read_group_facts(cursor& at) {
  return read_list<group_facts>(at, "XINFO GROUPS", [&](auto& x) {
    return read_map(at, "XINFO GROUPS", [&](std::string_view field) {
      if (field == "name")
        return read_string(at, x.name);
      if (field == "consumers")
        return read_count(at, x.consumers);
      if (field == "pending")
        return read_count(at, x.pending);
      if (field == "last-delivered-id")
        return read_id_text(at, x.last_delivered);
      if (field == "lag")
        return at.read_nil() || at.read_integer(x.lag);
      at.skip();
      return true;
    });
  });
}

outcome<std::vector<consumer_facts>> read_consumer_facts(cursor& at) {
  return read_list<consumer_facts>(at, "XINFO CONSUMERS", [&](auto& x) {
    return read_map(at, "XINFO CONSUMERS", [&](std::string_view field) {
      if (field == "name")
        return read_string(at, x.name);
      if (field == "pending")
        return read_count(at, x.pending);
      if (field == "idle")
        return at.read_integer(x.idle_ms);
      at.skip();
      return true;
    });
  });
}

} // namespace pulse::resp
