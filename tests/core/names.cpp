#define CAF_SUITE core.names

#include "pulse/core/names.hpp"

#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

std::string error_for(std::string_view name) {
  auto x = check_name("stream name", name);
  if (x)
    return "none";
  CAF_CHECK(x.error().code == errc::invalid_name);
  return x.error().what;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST(names may have any other bytes) {
  for (auto* name : {"a", "orders", "a:b/c.d-e_f{g}", "Größe", "\xff\xfe", "$",
                     ">", "0-0", "\"quoted\""})
    CAF_CHECK_EQUAL(error_for(name), "none");
}

CAF_TEST(names have 1 to 512 bytes) {
  CAF_CHECK_EQUAL(error_for(std::string(1, 'x')), "none");
  CAF_CHECK_EQUAL(error_for(std::string(512, 'x')), "none");
  CAF_CHECK(contains(error_for(""), "stream name \"\" is empty"));
  CAF_CHECK(contains(error_for(std::string(513, 'x')),
                     "has 513 bytes, too many from byte 512 on"));
}

CAF_TEST(every forbidden byte is found at its position) {
  std::string forbidden = " *?[]\x7f";
  for (char c = 0; c < 0x20; ++c)
    forbidden += c;
  for (auto c : forbidden) {
    for (size_t pos : {0u, 1u, 2u}) {
      std::string name = "ab";
      name.insert(pos, 1, c);
      CAF_CHECK(contains(error_for(name), "at byte " + std::to_string(pos)));
    }
  }
}

CAF_TEST(the error names role and name and rule) {
  CAF_CHECK_EQUAL(error_for("or ders"),
                  "stream name \"or ders\" has a space at byte 2: use 1 to 512 "
                  "bytes without space, control character, *, ?, [ or ]");
  CAF_CHECK(contains(error_for("a?"), "has a \"?\" at byte 1"));
}

CAF_TEST(the error shows long and binary names in a printable way) {
  CAF_CHECK(contains(error_for(std::string(600, 'x')),
                     '"' + std::string(40, 'x') + "...\""));
  CAF_CHECK(contains(error_for("a\nb"), "\"a.b\" has a control character"));
}

CAF_TEST(keys are those of goadesign pulse) {
  CAF_CHECK_EQUAL(stream_key("orders"), "pulse:stream:orders");
  CAF_CHECK_EQUAL(dead_letter_stream("orders", "billing"),
                  "orders:dead:billing");
  CAF_CHECK_EQUAL(metadata_key("orders", "leases"),
                  "{pulse:stream:orders}:leases");
}

CAF_TEST(consumer names hold host and process and time and randomness) {
  CAF_CHECK_EQUAL(consumer_name("host", 42, 0, 0, 0),
                  "host.42.00000000000000000000000000");
  CAF_CHECK_EQUAL(consumer_name("h", 1, (1ull << 48) - 1, ~0ull, ~0ull),
                  "h.1.7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CAF_CHECK_EQUAL(consumer_name("h", 1, 1, 2, 31),
                  "h.1.0000000001000000020000000Z");
}

CAF_TEST(consumer names sort by time) {
  CAF_CHECK(consumer_name("h", 1, 1'700'000'000'000, 9, 9)
            < consumer_name("h", 1, 1'700'000'000'001, 0, 0));
}

CAF_TEST(no two sinks share their dead letters) {
  for (auto* name : {"b:dead:c", "dead:c", "a:dead:"})
    CAF_CHECK(check_dead_letter_sink(name).error().code == errc::invalid_name);
  for (auto* name : {"dead", "c", "undead:c", "a:deader:b", "a:dead"})
    CAF_CHECK(check_dead_letter_sink(name).ok());
  // What is allowed is not ambiguous: the last ":dead:" ends the stream.
  const std::vector<std::string> streams{"a", "a:dead", "a:dead:b",
                                         "a:dead:b:dead", "a:"};
  const std::vector<std::string> sinks{"b",        "c",      "dead",  "dead:b",
                                       "b:dead:c", "b:dead", ":dead", "deada"};
  std::set<std::string> seen;
  size_t pairs = 0;
  for (const auto& stream : streams)
    for (const auto& sink : sinks)
      if (check_dead_letter_sink(sink)) {
        ++pairs;
        seen.insert(dead_letter_stream(stream, sink));
      }
  CAF_CHECK_EQUAL(seen.size(), pairs);
}
