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

inline constexpr auto nothing = "*-1\r\n";
inline constexpr auto no_such_key = "-ERR no such key\r\n";
inline constexpr auto wrong_type = "-WRONGTYPE Operation against a key\r\n";

} // namespace pulse::test
