#define CAF_SUITE resp.stream_replies

#include "pulse/resp/stream_replies.hpp"

#include "support/reply_builder.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::resp;

using pulse::test::reply_builder;

namespace {

constexpr auto prefix = "pulse:stream:";

event at(const event_page& page, uint32_t index) {
  return {page.block, index};
}

template <class T>
std::string code_of(const outcome<T>& x) {
  return to_string(x.ok() ? errc::none : x.error().code);
}

std::string code_of(const status& x) {
  return to_string(x.ok() ? errc::none : x.error().code);
}

// Codes of read_page for a page of stream "a" with the entry that `fn` writes.
template <class F>
std::string code_of_entry(F fn) {
  reply_builder x;
  x.array(1).array(2).text("pulse:stream:a").array(1);
  fn(x);
  auto from = x.done();
  return code_of(read_page(from, prefix));
}

} // namespace

CAF_TEST(a page holds the entries of all streams in order) {
  auto from = reply_builder{}
                .array(2)
                .array(2)
                .text("pulse:stream:a")
                .array(2)
                .entry("1-0", "n", "created", "p", "x")
                .entry("2-1", "t", "eu", "n", "gone", "p", "")
                .array(2)
                .text("pulse:stream:b")
                .array(1)
                .entry("1-5", "p", std::string_view{"\0\r\n", 3}, "n", "moved")
                .done();
  auto page = read_page(from, prefix);
  CAF_REQUIRE(page.ok());
  CAF_CHECK(from.bytes.empty());
  CAF_CHECK(page->deleted.empty());
  CAF_REQUIRE_EQUAL(page->block->extents.size(), 3u);
  CAF_CHECK(at(*page, 0) == event::make({"a", event_id{1, 0}}, "created", "x"));
  CAF_CHECK(at(*page, 1)
            == event::make({"a", event_id{2, 1}}, "gone", "", "eu"));
  CAF_CHECK(at(*page, 2)
            == event::make({"b", event_id{1, 5}}, "moved",
                           std::string_view{"\0\r\n", 3}));
  CAF_CHECK(at(*page, 1).well_formed());
}

CAF_TEST(nothing new is an empty page) {
  auto from = reply_builder{}.nil().done();
  auto page = read_page(from, prefix);
  CAF_REQUIRE(page.ok());
  CAF_CHECK(page->block->extents.empty());
}

CAF_TEST(own history without entries is an empty page) {
  auto from
    = reply_builder{}.array(1).array(2).text("pulse:stream:a").array(0).done();
  auto page = read_page(from, prefix);
  CAF_REQUIRE(page.ok());
  CAF_CHECK(page->block->extents.empty());
}

CAF_TEST(an entry without name or payload is kept but not well formed) {
  auto from = reply_builder{}
                .array(3)
                .entry("1-0", "p", "x")
                .entry("2-0", "n", "x", "other", "y")
                .entry("3-0", "x", "y", "n", "old", "p", "1", "n", "new")
                .done();
  auto page = range_page(from, "a");
  CAF_REQUIRE(page.ok());
  CAF_REQUIRE_EQUAL(page->block->extents.size(), 3u);
  CAF_CHECK(!at(*page, 0).well_formed());
  CAF_CHECK(!at(*page, 1).well_formed());
  CAF_CHECK(at(*page, 2).well_formed());
  CAF_CHECK_EQUAL(at(*page, 2).name(), "new");
  CAF_CHECK_EQUAL(at(*page, 2).stream(), "a");
}

CAF_TEST(deleted entries of the own history are named) {
  auto from = reply_builder{}
                .array(1)
                .array(2)
                .text("pulse:stream:a")
                .array(2)
                .array(2)
                .text("1-0")
                .nil()
                .entry("2-0", "n", "x", "p", "y")
                .done();
  auto page = read_page(from, prefix);
  CAF_REQUIRE(page.ok());
  CAF_CHECK_EQUAL(page->block->extents.size(), 1u);
  CAF_REQUIRE_EQUAL(page->deleted.size(), 1u);
  CAF_CHECK_EQUAL(page->deleted[0].first, 0u);
  CAF_CHECK(page->deleted[0].second == (event_id{1, 0}));
}

CAF_TEST(any other shape of a page is a protocol error) {
  using builder = reply_builder;
  auto good = [](builder& x) { x.entry("1-0", "n", "x", "p", "y"); };
  CAF_CHECK_EQUAL(code_of_entry(good), "none");
  for (void (*bad)(builder&) : {
         +[](builder& x) { x.integer(1); },
         +[](builder& x) { x.array(3).text("1-0").array(0).nil(); },
         +[](builder& x) { x.array(2).integer(1).array(0); },
         +[](builder& x) { x.entry("1", "n", "x"); },
         +[](builder& x) { x.entry("one-two", "n", "x"); },
         +[](builder& x) { x.entry("1-0", "n"); },
         +[](builder& x) { x.entry("1-0", "n", "x", "p"); },
         +[](builder& x) { x.array(2).text("1-0").text("fields"); },
         +[](builder& x) { x.array(2).text("1-0").array(2).nil().text("x"); },
         +[](builder& x) { x.array(2).text("1-0").array(2).text("n").nil(); },
         +[](builder& x) { x.array(2).text("1-0"); },
         +[](builder& x) { x.entry("1-0", "n", "x").integer(1); },
       })
    CAF_CHECK_EQUAL(code_of_entry(bad), "protocol_error");
}

CAF_TEST(a key that was not asked for is a protocol error) {
  auto from = reply_builder{}.array(1).array(2).text("other:a").array(0).done();
  CAF_CHECK_EQUAL(code_of(read_page(from, prefix)), "protocol_error");
}

CAF_TEST(an error reply is classified) {
  auto from = reply_builder{}.error("NOGROUP No such key").done();
  CAF_CHECK_EQUAL(code_of(read_page(from, prefix)), "no_group");
  auto other = reply_builder{}.error("WRONGTYPE Operation").done();
  CAF_CHECK_EQUAL(code_of(range_page(other, "a")), "wrong_type");
  cursor at{other};
  CAF_CHECK_EQUAL(code_of(read_id(at, "XADD")), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_number(at, "XLEN")), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_ok(at, "SET")), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_ids(at, "XCLAIM")), "wrong_type");
  CAF_CHECK_EQUAL(code_of(pending_entries(at)), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_stream_facts(at)), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_group_facts(at)), "wrong_type");
  CAF_CHECK_EQUAL(code_of(read_consumer_facts(at)), "wrong_type");
}

CAF_TEST(single values advance the cursor) {
  auto x = reply_builder{}
             .text("5-1")
             .integer(9)
             .status("OK")
             .texts("1-0", "2-0")
             .done(4);
  cursor at{x};
  CAF_CHECK(*read_id(at, "XADD") == (event_id{5, 1}));
  const auto number = read_number(at, "XLEN");
  CAF_CHECK(number.ok() && *number == 9);
  CAF_CHECK(read_ok(at, "SET").ok());
  CAF_CHECK(*read_ids(at, "XCLAIM") == (std::vector<event_id>{{1, 0}, {2, 0}}));
  CAF_CHECK(at.at_end());
  CAF_CHECK_EQUAL(code_of(read_id(at, "XADD")), "protocol_error");
}

CAF_TEST(pending entries have four parts) {
  auto x = reply_builder{}
             .array(2)
             .array(4)
             .text("1-0")
             .text("me")
             .integer(1500)
             .integer(3)
             .array(4)
             .text("2-0")
             .text("you")
             .integer(1)
             .integer(1)
             .done();
  cursor at{x};
  auto list = pending_entries(at);
  CAF_REQUIRE(list.ok());
  CAF_REQUIRE_EQUAL(list->size(), 2u);
  CAF_CHECK(list->front().id == (event_id{1, 0}));
  CAF_CHECK_EQUAL(list->front().consumer, "me");
  CAF_CHECK_EQUAL(list->front().idle_ms, 1500);
  CAF_CHECK_EQUAL(list->front().deliveries, 3);
  auto bad = reply_builder{}.array(1).array(3).texts("1-0", "me").done();
  cursor there{bad};
  CAF_CHECK_EQUAL(code_of(pending_entries(there)), "protocol_error");
}

CAF_TEST(facts of a stream are found by name) {
  auto x = reply_builder{}
             .array(12)
             .text("last-generated-id")
             .text("9-1")
             .text("something-new")
             .array(1)
             .integer(1)
             .text("length")
             .integer(2)
             .text("first-entry")
             .entry("7-0", "n", "a")
             .text("last-entry")
             .nil()
             .text("entries-added")
             .integer(40)
             .done();
  cursor at{x};
  auto facts = read_stream_facts(at);
  CAF_REQUIRE(facts.ok());
  CAF_CHECK(facts->last_generated == (event_id{9, 1}));
  CAF_CHECK_EQUAL(facts->length, 2u);
  CAF_CHECK(facts->first == (event_id{7, 0}));
  CAF_CHECK(facts->last == event_id::min());
  CAF_CHECK_EQUAL(facts->entries_added, 40u);
  CAF_CHECK(at.at_end());
}

CAF_TEST(facts of a stream need its length and its last ID) {
  auto x = reply_builder{}.array(2).text("length").integer(2).done();
  cursor at{x};
  CAF_CHECK_EQUAL(code_of(read_stream_facts(at)), "protocol_error");
  auto y = reply_builder{}.array(2).text("length").integer(-2).done();
  cursor there{y};
  CAF_CHECK_EQUAL(code_of(read_stream_facts(there)), "protocol_error");
}

CAF_TEST(an unknown lag of a group is minus one) {
  auto group = [](reply_builder& x) -> reply_builder& {
    return x.array(10)
      .text("name")
      .text("g")
      .text("consumers")
      .integer(1)
      .text("pending")
      .integer(4)
      .text("last-delivered-id")
      .text("3-0")
      .text("lag");
  };
  reply_builder builder;
  group(builder.array(2)).nil();
  group(builder).integer(8);
  auto x = builder.done();
  cursor at{x};
  auto list = read_group_facts(at);
  CAF_REQUIRE(list.ok());
  CAF_REQUIRE_EQUAL(list->size(), 2u);
  CAF_CHECK_EQUAL(list->front().name, "g");
  CAF_CHECK_EQUAL(list->front().consumers, 1u);
  CAF_CHECK_EQUAL(list->front().pending, 4u);
  CAF_CHECK(list->front().last_delivered == (event_id{3, 0}));
  CAF_CHECK_EQUAL(list->front().lag, -1);
  CAF_CHECK_EQUAL(list->back().lag, 8);
}

CAF_TEST(consumers have a name and counts) {
  auto x = reply_builder{}
             .array(1)
             .array(8)
             .text("name")
             .text("c")
             .text("pending")
             .integer(3)
             .text("idle")
             .integer(12)
             .text("inactive")
             .integer(-1)
             .done();
  cursor at{x};
  auto list = read_consumer_facts(at);
  CAF_REQUIRE(list.ok());
  CAF_REQUIRE_EQUAL(list->size(), 1u);
  CAF_CHECK_EQUAL(list->front().name, "c");
  CAF_CHECK_EQUAL(list->front().pending, 3u);
  CAF_CHECK_EQUAL(list->front().idle_ms, 12);
}
