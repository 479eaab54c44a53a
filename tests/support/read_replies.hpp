#pragma once

#include "pulse/core/event_id.hpp"
#include "pulse/core/names.hpp"

#include <string>
#include <utility>
#include <vector>

// Replies of Redis to commands that read streams, as RESP.

namespace pulse::test {

inline std::string bulk(std::string_view x) {
  return "$" + std::to_string(x.size()) + "\r\n" + std::string{x} + "\r\n";
}

inline std::string array_of(size_t size) {
  return "*" + std::to_string(size) + "\r\n";
}

/// An entry <ms>-0 with name "n", payload "p<ms>" and, if given, a topic.
inline std::string entry(uint64_t ms, std::string_view topic = {}) {
  auto result = array_of(2) + bulk(to_string(event_id{ms, 0}))
                + array_of(topic.empty() ? 4 : 6) + bulk("n") + bulk("n")
                + bulk("p") + bulk("p" + std::to_string(ms));
  return topic.empty() ? result : result + bulk("t") + bulk(topic);
}

/// The reply to XRANGE with the entries `first` to `last`.
inline std::string entries(uint64_t first, uint64_t last) {
  auto result = array_of(last + 1 - first);
  for (; first <= last; ++first)
    result += entry(first);
  return result;
}

/// The reply to XREAD with the entries of each stream.
inline std::string
page(const std::vector<std::pair<std::string, std::string>>& streams) {
  auto result = array_of(streams.size());
  for (auto& [name, list] : streams)
    result += array_of(2) + bulk(stream_key(name)) + list;
  return result;
}

/// The reply to XREAD with the entries `first` to `last` of one stream.
inline std::string page(const std::string& stream, uint64_t first,
                        uint64_t last) {
  return page({{stream, entries(first, last)}});
}

/// The reply to XINFO STREAM.
inline std::string facts(uint64_t last_ms) {
  return array_of(4) + bulk("length") + ":1\r\n" + bulk("last-generated-id")
         + bulk(to_string(event_id{last_ms, 0}));
}

/// The same from a server that counts added events.
inline std::string facts_of(uint64_t length, uint64_t added, uint64_t first_ms,
                            uint64_t last_ms) {
  auto number = [](uint64_t x) { return ":" + std::to_string(x) + "\r\n"; };
  return array_of(10) + bulk("length") + number(length)
         + bulk("last-generated-id") + bulk(to_string(event_id{last_ms, 0}))
         + bulk("entries-added") + number(added) + bulk("first-entry")
         + entry(first_ms) + bulk("last-entry") + entry(last_ms);
}

/// The reply to the script audit. The defaults are those of a stream with two
/// million events, of which the group has read the first.
struct audit_facts {
  uint64_t length = 2'000'000;
  uint64_t added = 2'000'000;
  uint64_t first_ms = 1;
  uint64_t last_ms = 1'000'000;
  uint64_t at_ms = 0;
  int64_t read = 1;
  int64_t passed = -1;
  bool corrected = false;
  bool has_asked_event = true;
  std::string others;
  uint64_t max_deleted_ms = 0;
  uint64_t own = 1'000'000;
  std::string own_from;
  uint64_t keyed = 0;
};

inline std::string audit_reply(const audit_facts& x) {
  auto number = [](auto n) { return ":" + std::to_string(n) + "\r\n"; };
  auto id = [](uint64_t ms) { return bulk(to_string(event_id{ms, 0})); };
  return array_of(14) + number(x.length) + number(x.added) + id(x.first_ms)
         + id(x.last_ms) + id(x.max_deleted_ms) + id(x.at_ms) + number(x.read)
         + number(x.passed) + number(x.corrected ? 1 : 0)
         + number(x.has_asked_event ? 1 : 0) + bulk(x.others) + number(x.own)
         + bulk(x.own_from) + number(x.keyed);
}

inline constexpr auto nothing = "*-1\r\n";
inline constexpr auto no_such_key = "-ERR no such key\r\n";
inline constexpr auto wrong_type = "-WRONGTYPE Operation against a key\r\n";

} // namespace pulse::test
