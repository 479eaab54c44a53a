#define CAF_SUITE core.reading.page_hub

#include "pulse/core/reading/page_hub.hpp"

#include "support/made_pages.hpp"

#include <chrono>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;

namespace {

struct fixture {
  using reader_id = page_hub::reader_id;

  void ask(reader_id who, uint64_t after, uint32_t count = 100) {
    ask(who, {{"a", after}}, count);
  }

  void ask(reader_id who,
           const std::vector<std::pair<std::string, uint64_t>>& streams,
           uint32_t count = 100) {
    page_request x;
    x.count = count;
    for (auto& [name, after] : streams)
      x.streams.push_back({name, {after, 0}, false, false, std::nullopt});
    uut.ask(who, std::move(x));
  }

  // A request that names only what changed.
  void ask_more(reader_id who,
                const std::vector<std::pair<std::string, uint64_t>>& changed,
                std::vector<std::string> removed = {}) {
    page_request x;
    x.all = false;
    x.count = 100;
    x.removed = std::move(removed);
    for (auto& [name, after] : changed)
      x.streams.push_back({name, {after, 0}, false, false, std::nullopt});
    uut.ask(who, x);
  }

  void ask_checked(reader_id who, uint64_t after) {
    uut.ask(who, {{{"a", {after, 0}, true, true, std::nullopt}}, 100});
  }

  void ask_uncertain(reader_id who, uint64_t after) {
    uut.ask(who, {{{"a", {after, 0}, true, false, std::nullopt}}, 100});
  }

  void ask_fresh(reader_id who, uint64_t after) {
    uut.ask(who, {{{"a", {after, 0}, false, true, std::nullopt}}, 100});
  }

  void ask_opened(reader_id who, uint64_t after, const stream_state& opened) {
    uut.ask(who, {{{"a", {after, 0}, false, false, opened}}, 100});
  }

  // The answers since the last call, as "1: a 3-6, 2: a 3-6".
  std::string answers() {
    std::string result;
    for (auto& x : uut.take_answers()) {
      result += result.empty() ? "" : ", ";
      result += std::to_string(x.to) + ":";
      for (auto& page : x.pages)
        result += " " + text_of(page);
    }
    return result;
  }

  // The old reads since the last call, as "a 3 x100".
  std::string old_reads(size_t most = 100) {
    std::string result;
    for (auto& x : uut.take_old_reads(most)) {
      under_way[x.after] = x.from;
      result += (result.empty() ? "" : ", ") + x.stream + " "
                + std::to_string(x.after.ms) + " x" + std::to_string(x.count);
    }
    return result;
  }

  // The old read of a page succeeds.
  void old_came(const stream_page& x) {
    old_reads();
    uut.old_came(x, under_way[x.after]);
  }

  // The tail read that a stream needs, as "3 x100".
  std::string tail(const std::string& stream = "a") {
    const auto x = uut.tail_of(stream);
    if (!x)
      return "none";
    return std::to_string(x->after.ms) + " x" + std::to_string(x->count)
           + (x->check ? " check" : "") + (x->urgent ? " urgent" : "");
  }

  // A tail read begins, and brings these events.
  void tail_brings(uint64_t first, uint64_t last) {
    const auto x = uut.tail_of("a").value();
    const auto read = uut.tail_begins("a", false);
    const auto full = last + 1 - first >= x.count;
    uut.tail_came({{made_page("a", x.after.ms, first, last), read, full}});
  }

  page_hub uut;
  /// The old reads that began last.
  std::map<event_id, page_hub::read> under_way;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(page_hub_tests, fixture)

CAF_TEST(readers at the same cursor share the tail read) {
  ask(1, 5);
  ask(2, 5);
  CAF_CHECK(uut.take_changed() == std::set<std::string>{"a"});
  CAF_CHECK_EQUAL(tail(), "5 x100");
  CAF_CHECK_EQUAL(answers(), "");
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 6-8, 2: a 6-8");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(the tail read is one page ahead of its readers) {
  ask(1, 5);
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(tail(), "8 x100");
  tail_brings(9, 9);
  CAF_CHECK_EQUAL(tail(), "none");
  answers();
  ask(1, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 9-9");
  CAF_CHECK_EQUAL(tail(), "none");
  ask(1, 9);
  CAF_CHECK_EQUAL(tail(), "9 x100");
}

CAF_TEST(a reader that comes later gets the same page) {
  ask(1, 5);
  ask(2, 9);
  CAF_CHECK_EQUAL(old_reads(), "a 9 x100");
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 6-8");
  ask(3, 5);
  ask(4, 7);
  CAF_CHECK_EQUAL(answers(), "3: a 6-8, 4: a 8-8");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a reader that takes parts of a page gets all of it) {
  ask(1, 5, 2);
  ask(2, 5);
  CAF_CHECK_EQUAL(tail(), "5 x100");
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 6-7, 2: a 6-8");
  ask(1, 7, 2);
  CAF_CHECK_EQUAL(answers(), "1: a 8-8");
}

CAF_TEST(a slow reader catches up and comes back to the tail) {
  ask(1, 10);
  uut.tail_begins("a", false);
  ask(2, 3, 2);
  ask(3, 3, 1);
  CAF_CHECK_EQUAL(old_reads(), "a 3 x100");
  CAF_CHECK_EQUAL(old_reads(), "");
  old_came(made_page("a", 3, 4, 5));
  CAF_CHECK_EQUAL(answers(), "2: a 4-5, 3: a 4-4");
  CAF_CHECK_EQUAL(tail(), "10 x100");
  ask(2, 5);
  CAF_CHECK_EQUAL(old_reads(), "a 5 x100");
  old_came(made_page("a", 5, 6, 10));
  CAF_CHECK_EQUAL(answers(), "2: a 6-10");
  ask(2, 10);
  CAF_CHECK_EQUAL(old_reads(), "");
  tail_brings(11, 11);
  CAF_CHECK_EQUAL(answers(), "1: a 11-11, 2: a 11-11");
}

CAF_TEST(the readers take turns with old reads) {
  for (auto name : {"a", "b", "c", "d"})
    ask(1, {{name, 9}});
  ask(1, {{"a", 9}, {"b", 9}, {"c", 9}, {"d", 9}});
  ask(2, {{"a", 3}, {"b", 3}, {"c", 3}});
  ask(3, {{"a", 4}, {"d", 4}});
  ask(4, {{"a", 3}});
  CAF_CHECK_EQUAL(old_reads(0), "");
  CAF_CHECK_EQUAL(old_reads(3), "a 3 x100, a 4 x100, b 3 x100");
  CAF_CHECK_EQUAL(old_reads(1), "d 4 x100");
  uut.leave(2);
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(the tail begins at the lowest cursor behind which there is nothing) {
  ask(1, 10);
  ask(2, 7);
  CAF_CHECK_EQUAL(old_reads(), "a 7 x100");
  uut.take_changed();
  old_came(empty_page("a", 7));
  CAF_CHECK_EQUAL(answers(), "2: a drained");
  CAF_CHECK(uut.take_changed() == std::set<std::string>{"a"});
  CAF_CHECK_EQUAL(tail(), "7 x100");
  ask(2, 7);
  CAF_CHECK_EQUAL(old_reads(), "");
  tail_brings(12, 12);
  CAF_CHECK_EQUAL(answers(), "1: a 12-12, 2: a 12-12");
}

CAF_TEST(old events that one reader reads do not delay one at the end) {
  ask(1, 0);
  ask_opened(2, 500, {500, 500, {1, 0}, {500, 0}});
  CAF_CHECK_EQUAL(old_reads(), "a 500 x100");
  old_came(empty_page("a", 500));
  answers();
  ask(2, 500);
  tail_brings(1, 100);
  CAF_CHECK_EQUAL(answers(), "1: a 1-100");
  CAF_CHECK_EQUAL(tail(), "500 x100");
  ask(1, 100);
  CAF_CHECK_EQUAL(old_reads(), "a 100 x100");
}

CAF_TEST(cursors that nobody holds do not make live readers read old events) {
  ask_opened(1, 500, {500, 500, {1, 0}, {500, 0}});
  const auto gone = checked_page("a", 500);
  uut.tail_checked({{gone, uut.tail_begins("a", true)}});
  ask_opened(1, 0, {});
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  old_came(empty_page("a", 0));
  answers();
  ask_opened(1, 0, {});
  tail_brings(1, 100);
  CAF_CHECK_EQUAL(answers(), "1: a 1-100");
  CAF_CHECK_EQUAL(tail(), "100 x100");
}

CAF_TEST(a reader that begins in the future does not either) {
  ask_opened(1, 9, {9, 9, {1, 0}, {9, 0}});
  ask_opened(2, 5'000, {9, 9, {1, 0}, {9, 0}});
  CAF_CHECK_EQUAL(old_reads(), "a 5000 x100");
  old_came(empty_page("a", 5'000));
  answers();
  ask_opened(2, 5'000, {9, 9, {1, 0}, {9, 0}});
  tail_brings(10, 109);
  CAF_CHECK_EQUAL(answers(), "1: a 10-109");
  CAF_CHECK_EQUAL(tail(), "109 x100");
  ask(1, 109);
  tail_brings(110, 209);
  CAF_CHECK_EQUAL(answers(), "1: a 110-209");
  CAF_CHECK_EQUAL(tail(), "209 x100");
}

CAF_TEST(a busy stream does not keep a reader from the others) {
  ask(1, {{"a", 5}, {"b", 5}});
  tail_brings(6, 7);
  CAF_CHECK_EQUAL(answers(), "1: a 6-7");
  tail_brings(8, 9);
  ask(1, {{"a", 7}, {"b", 5}});
  CAF_CHECK_EQUAL(answers(), "1: a 8-9");
  CAF_CHECK_EQUAL(tail("b"), "5 x100");
  uut.tail_came({{made_page("b", 5, 6, 6), uut.tail_begins("b", false)}});
  ask(1, {{"a", 9}, {"b", 5}});
  CAF_CHECK_EQUAL(answers(), "1: b 6-6");
}

CAF_TEST(a reader gets the pages of one read together) {
  ask(1, {{"a", 5}, {"b", 5}});
  const auto a = uut.tail_begins("a", false);
  const auto b = uut.tail_begins("b", false);
  uut.tail_came({{made_page("a", 5, 6, 7), a}, {made_page("b", 5, 6, 6), b}});
  CAF_CHECK_EQUAL(answers(), "1: a 6-7 b 6-6");
  CAF_CHECK_EQUAL(tail("a"), "7 x100");
  CAF_CHECK_EQUAL(tail("b"), "6 x100");
  ask(1, {{"a", 7}, {"b", 6}});
  uut.tail_drained({{empty_page("a", 7), a}, {empty_page("b", 6), b}});
  CAF_CHECK_EQUAL(answers(), "1: a drained b drained");
}

CAF_TEST(a reader far ahead does not stop the tail read) {
  ask(1, 5);
  ask(2, 1'000);
  old_reads();
  old_came(empty_page("a", 1'000));
  answers();
  ask(2, 1'000);
  tail_brings(6, 6);
  CAF_CHECK_EQUAL(answers(), "1: a 6-6");
  CAF_CHECK_EQUAL(tail(), "6 x100");
}

CAF_TEST(a new request replaces the one before) {
  ask(1, {{"a", 5}, {"b", 5}});
  ask(1, {{"b", 5}});
  CAF_CHECK(!uut.has_stream("a"));
  CAF_CHECK_EQUAL(tail(), "none");
  ask(1, {});
  CAF_CHECK(!uut.has_stream("b"));
  CAF_CHECK(uut.has_readers());
  uut.leave(1);
  uut.leave(1);
  CAF_CHECK(!uut.has_readers());
}

CAF_TEST(a request may name its streams in any order) {
  ask(1, {{"c", 5}, {"a", 5}, {"b", 5}});
  ask(1, {{"d", 5}, {"b", 5}, {"a", 5}});
  CAF_CHECK(!uut.has_stream("c"));
  CAF_CHECK_EQUAL(tail("b"), "5 x100");
  CAF_CHECK_EQUAL(tail("d"), "5 x100");
  const auto read = uut.tail_begins("d", false);
  uut.tail_drained({{empty_page("d", 5), read}});
  CAF_CHECK_EQUAL(answers(), "1: d drained");
}

CAF_TEST(a request names only the streams that changed) {
  ask(1, {{"a", 5}, {"b", 5}, {"c", 5}});
  ask_more(1, {{"d", 5}}, {"b", "x"});
  CAF_CHECK(!uut.has_stream("b"));
  tail_brings(6, 6);
  CAF_CHECK_EQUAL(answers(), "1: a 6-6");
  ask_more(1, {{"a", 6}});
  for (auto name : {"c", "d"})
    uut.tail_came({{made_page(name, 5, 6, 6), uut.tail_begins(name, false)}});
  CAF_CHECK_EQUAL(answers(), "1: c 6-6");
  ask_more(1, {{"c", 6}});
  CAF_CHECK_EQUAL(answers(), "1: d 6-6");
  ask(1, {{"d", 6}});
  CAF_CHECK(!uut.has_stream("a"));
}

CAF_TEST(the tail read of a stream that was not named goes on) {
  ask(1, {{"a", 5}, {"b", 5}});
  tail_brings(6, 6);
  answers();
  uut.tail_drained({{empty_page("b", 5), uut.tail_begins("b", false)}});
  CAF_CHECK_EQUAL(tail("b"), "none");
  ask_more(1, {{"a", 6}});
  CAF_CHECK_EQUAL(tail("b"), "5 x100 check");
}

CAF_TEST(old reads and refused streams need not be named again) {
  ask(1, {{"a", 9}, {"b", 9}});
  ask(2, {{"a", 3}, {"b", 9}});
  CAF_CHECK_EQUAL(old_reads(), "a 3 x100");
  CAF_CHECK(uut.old_failed("a", {3, 0}) == std::vector<reader_id>{2});
  ask_more(2, {});
  CAF_CHECK_EQUAL(old_reads(), "a 3 x100");
  uut.refuse("a");
  ask_more(2, {});
  CAF_CHECK_EQUAL(old_reads(), "");
  uut.accept("a");
  tail_brings(10, 10);
  CAF_CHECK_EQUAL(answers(), "2: a 10-10");
}

CAF_TEST(a check that one stream has to wait for is not forgotten) {
  ask(1, {{"a", 5}, {"b", 5}});
  tail_brings(6, 6);
  tail_brings(7, 7);
  answers();
  uut.tail_begins("b", false);
  page_request x{{{"a", {6, 0}, false, false, std::nullopt},
                  {"b", {5, 0}, true, false, std::nullopt}},
                 100};
  uut.ask(1, x);
  CAF_CHECK_EQUAL(answers(), "1: a 7-7");
  CAF_CHECK_EQUAL(tail("b"), "5 x100 check");
  ask_more(1, {{"a", 7}});
  CAF_CHECK_EQUAL(tail("b"), "5 x100 check urgent");
}

CAF_TEST(a reader of many streams does not take long) {
  std::vector<std::pair<std::string, uint64_t>> streams;
  for (size_t i = 0; i < 10'000; ++i)
    streams.emplace_back("stream" + std::to_string(i), 5);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i)
    ask(1, streams);
  const auto took = std::chrono::steady_clock::now() - start;
  CAF_CHECK(took < std::chrono::seconds{3}); // a linear search takes far longer
}

CAF_TEST(what arrives for a stream that nobody reads any more is dropped) {
  ask(1, 5);
  const auto read = uut.tail_begins("a", true);
  uut.leave(1);
  uut.tail_checked({{empty_page("a", 5), read}});
  uut.tail_came({{made_page("a", 5, 6, 7), read}});
  uut.tail_drained({{empty_page("a", 5), read}});
  old_came(made_page("a", 5, 6, 7));
  ask(1, 5);
  CAF_CHECK_EQUAL(answers(), "");
}

CAF_TEST(a reader that leaves does not disturb others) {
  ask(1, 5);
  ask(2, 5);
  uut.take_changed();
  uut.leave(1);
  CAF_CHECK(uut.take_changed().empty());
  tail_brings(6, 6);
  CAF_CHECK_EQUAL(answers(), "2: a 6-6");
}

// -- pages that overlap -------------------------------------------------------

CAF_TEST(the last old page reaches its reader though the tail has read on) {
  ask(1, 1'000);
  ask(2, 990);
  CAF_CHECK_EQUAL(old_reads(), "a 990 x100");
  tail_brings(1'001, 1'001);
  tail_brings(1'002, 1'002);
  CAF_CHECK_EQUAL(answers(), "1: a 1001-1001");
  old_came(made_page("a", 990, 991, 1'002));
  CAF_CHECK_EQUAL(answers(), "2: a 991-1002");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a reader that paused gets the page that was read for it) {
  ask(1, 1'000);
  ask(3, 50);
  old_reads();
  tail_brings(1'001, 1'001);
  tail_brings(1'002, 1'002);
  ask(1, 1'001);
  ask(1, 1'002);
  CAF_CHECK_EQUAL(answers(), "1: a 1001-1001, 1: a 1002-1002");
  ask_fresh(2, 1'000);
  CAF_CHECK_EQUAL(old_reads(), "a 1000 x100");
  old_came(made_page("a", 1'000, 1'001, 1'002));
  CAF_CHECK_EQUAL(answers(), "2: a 1001-1002");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a reader that paused in the middle of a page gets a newer one) {
  ask(1, 0);
  ask(3, 50);
  tail_brings(1, 10);
  CAF_CHECK_EQUAL(answers(), "1: a 1-10");
  old_reads();
  ask_fresh(2, 5);
  CAF_CHECK_EQUAL(old_reads(), "a 5 x100");
  old_came(made_page("a", 5, 6, 10));
  CAF_CHECK_EQUAL(answers(), "2: a 6-10");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a page with removed events does not hide the one for a new reader) {
  ask(1, 0);
  ask(3, 50);
  tail_brings(1, 10);
  answers();
  old_reads();
  const stream_state trimmed{5, 15, {11, 0}, {15, 0}};
  ask_opened(2, 0, trimmed);
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  old_came(made_page("a", 0, 11, 15));
  CAF_CHECK_EQUAL(answers(), "2: a 11-15");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a reader that went back is not held up by the page it had asked for) {
  ask(1, 8);
  const auto read = uut.tail_begins("a", false);
  ask(1, 5);
  CAF_CHECK_EQUAL(old_reads(), "a 5 x100");
  uut.tail_came({{made_page("a", 8, 9, 9), read}});
  CAF_CHECK_EQUAL(answers(), "");
  old_came(made_page("a", 5, 6, 10));
  CAF_CHECK_EQUAL(answers(), "1: a 6-10");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(the pages of one reply reach their reader however large they are) {
  page_hub small{{100, 100}};
  std::swap(uut, small);
  ask(1, {{"a", 5}, {"b", 5}, {"c", 5}});
  std::vector<page_hub::tail_result> pages;
  for (auto name : {"a", "b", "c"})
    pages.push_back({made_page(name, 5, 6, 9), uut.tail_begins(name, false)});
  uut.tail_came(pages);
  CAF_CHECK_EQUAL(answers(), "1: a 6-9 b 6-9 c 6-9");
}

// -- what Redis says about streams --------------------------------------------

CAF_TEST(a check is for readers that stand where the read begins) {
  ask(1, 5);
  uut.check_next("a");
  CAF_CHECK_EQUAL(tail(), "5 x100 check");
  const auto read = uut.tail_begins("a", true);
  CAF_CHECK_EQUAL(tail(), "5 x100");
  ask(2, 4);
  stream_page facts;
  facts.stream = "a";
  facts.after = {5, 0};
  facts.checked = true;
  uut.tail_checked({{facts, read}});
  CAF_CHECK_EQUAL(answers(), "1: a checked");
}

CAF_TEST(a reader behind the begin of the read hears of it as well) {
  ask(1, 5);
  ask(2, 7);
  old_came(empty_page("a", 7));
  answers();
  ask(2, 7);
  const auto read = uut.tail_begins("a", true);
  ask(3, 7);
  const auto facts = checked_page("a", 5);
  uut.tail_checked({{facts, read}});
  CAF_CHECK_EQUAL(answers(), "1: a checked, 2: a checked");
}

CAF_TEST(a reader that asks for a check gets one at once) {
  ask(1, 5);
  uut.tail_begins("a", false);
  uut.take_changed();
  ask_checked(2, 5);
  CAF_CHECK_EQUAL(tail(), "5 x100 check urgent");
  CAF_CHECK(uut.take_changed() == std::set<std::string>{"a"});
  uut.tail_begins("a", true);
  CAF_CHECK_EQUAL(tail(), "5 x100");
}

CAF_TEST(a reader that needs a check before each read ends none that had one) {
  ask_uncertain(1, 5);
  const auto facts = checked_page("a", 5);
  uut.tail_checked({{facts, uut.tail_begins("a", true)}});
  CAF_CHECK_EQUAL(answers(), "1: a checked");
  uut.take_changed();
  ask_uncertain(1, 5);
  CAF_CHECK_EQUAL(tail(), "5 x100 check");
  CAF_CHECK(uut.take_changed().empty());
  uut.tail_begins("a", false);
  ask_uncertain(1, 5);
  CAF_CHECK_EQUAL(tail(), "5 x100 check urgent");
}

CAF_TEST(a reader that asks for a check gets no events that were read before) {
  ask(1, 5);
  auto read = uut.tail_begins("a", false);
  ask_checked(2, 5);
  uut.tail_came({{made_page("a", 5, 9, 9), read}});
  CAF_CHECK_EQUAL(answers(), "1: a 9-9");
  CAF_CHECK_EQUAL(tail(), "5 x100 check urgent");
  read = uut.tail_begins("a", true);
  uut.tail_came({{made_page("a", 5, 9, 9), read}});
  CAF_CHECK_EQUAL(answers(), "2: a 9-9");
}

CAF_TEST(after a read that brought nothing the stream is checked) {
  ask(1, 5);
  const auto read = uut.tail_begins("a", false);
  uut.tail_drained({{empty_page("a", 5), read}});
  CAF_CHECK_EQUAL(answers(), "1: a drained");
  CAF_CHECK_EQUAL(tail(), "5 x100 check");
}

CAF_TEST(a quiet stream wakes its readers only for news) {
  ask(1, 5);
  auto none = empty_page("a", 5);
  none.checked = true;
  none.found = stream_state{5, 5, {1, 0}, {5, 0}};
  const auto drained = [&] {
    const auto read = uut.tail_begins("a", true);
    auto facts = none;
    facts.drained = false;
    uut.tail_checked({{facts, read}});
    uut.tail_drained({{none, read}});
    return answers();
  };
  CAF_CHECK_EQUAL(drained(), "1: a checked");
  ask(1, 5);
  CAF_CHECK_EQUAL(drained(), "1: a drained");
  ask(1, 5);
  CAF_CHECK_EQUAL(drained(), "");
  CAF_CHECK_EQUAL(tail(), "5 x100 check");
  none.found = stream_state{4, 5, {2, 0}, {5, 0}};
  CAF_CHECK_EQUAL(drained(), "1: a checked");
  ask(1, 5);
  CAF_CHECK_EQUAL(drained(), "1: a drained");
  ask(2, 5);
  CAF_CHECK_EQUAL(drained(), "2: a checked");
}

CAF_TEST(readers hear only what was found last) {
  ask(1, 5);
  auto none = empty_page("a", 5);
  none.checked = true;
  none.found = stream_state{5, 5, {1, 0}, {5, 0}};
  const auto read = uut.tail_begins("a", true);
  ask_opened(2, 5, {3, 5, {3, 0}, {5, 0}});
  uut.tail_drained({{none, read}});
  CAF_CHECK_EQUAL(answers(), "1: a drained, 2: a drained");
  ask(1, 5);
  none.found = stream_state{3, 5, {3, 0}, {5, 0}};
  none.drained = false;
  uut.tail_checked({{none, uut.tail_begins("a", true)}});
  CAF_CHECK_EQUAL(answers(), "1: a checked");
}

CAF_TEST(nothing is read for readers that do not ask) {
  ask(1, 5);
  tail_brings(6, 6);
  answers();
  CAF_CHECK_EQUAL(tail(), "6 x100");
  const auto read = uut.tail_begins("a", false);
  uut.tail_drained({{empty_page("a", 6), read}});
  CAF_CHECK_EQUAL(tail(), "none");
}

CAF_TEST(a reader gets no events of a stream that was replaced) {
  const stream_state old{9, 9, {1, 0}, {9, 0}};
  const stream_state fresh{3, 3, {1, 0}, {3, 0}};
  uut.ask(1, {{{"a", {0, 0}, false, false, old}}, 100});
  tail_brings(1, 9);
  ask(2, 5);
  CAF_CHECK_EQUAL(answers(), "1: a 1-9");
  CAF_CHECK_EQUAL(old_reads(), "a 5 x100");
  auto none = empty_page("a", 5);
  none.checked = true;
  none.found = fresh;
  old_came(none);
  CAF_CHECK_EQUAL(answers(), "2: a checked drained");
  uut.ask(2, {{{"a", {0, 0}, false, false, fresh}}, 100});
  CAF_CHECK_EQUAL(answers(), "");
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
}

CAF_TEST(a new reader does not hear what was found before it was opened) {
  ask_opened(1, 0, {});
  ask_opened(2, 0, {});
  const auto read = uut.tail_begins("a", true);
  const auto none = checked_page("a", 0);
  uut.tail_checked({{none, read}});
  CAF_CHECK_EQUAL(answers(), "1: a checked, 2: a checked");
  ask(1, 0);
  ask_opened(2, 0, {});
  auto page = made_page("a", 0, 1, 1);
  page.checked = true;
  uut.tail_came({{page, read}});
  CAF_CHECK_EQUAL(answers(), "1: a checked 1-1, 2: a 1-1");
  ask_opened(3, 0, {1, 1, {1, 0}, {1, 0}});
  CAF_CHECK_EQUAL(answers(), "3: a 1-1");
}

CAF_TEST(a new reader hears that there is nothing but not what was found) {
  ask(1, 5);
  const auto read = uut.tail_begins("a", true);
  const stream_state state{9, 9, {1, 0}, {5, 0}};
  ask_opened(2, 5, state);
  auto none = empty_page("a", 5);
  none.checked = true;
  none.found = state;
  uut.tail_drained({{none, read}});
  CAF_CHECK_EQUAL(answers(), "1: a checked drained, 2: a drained");
}

CAF_TEST(a reader that did not wait hears that its stream was replaced) {
  const stream_state old{9, 9, {1, 0}, {9, 0}};
  ask_opened(1, 9, old);
  ask_opened(2, 9, old);
  tail_brings(10, 10);
  answers();
  ask(1, 10);
  const auto found = checked_page("a", 10,
                                  stream_state{2, 2, {11, 0}, {12, 0}});
  uut.tail_checked({{found, uut.tail_begins("a", true)}});
  CAF_CHECK_EQUAL(answers(), "1: a checked");
  ask_opened(1, 0, *found.found);
  old_came(made_page("a", 0, 11, 12));
  CAF_CHECK_EQUAL(answers(), "1: a 11-12");
  ask(2, 10);
  CAF_CHECK_EQUAL(answers(), "2: a checked");
  ask_opened(2, 0, *found.found);
  CAF_CHECK_EQUAL(answers(), "2: a 11-12");
}

CAF_TEST(a late answer of Redis does not look like another stream) {
  ask_opened(1, 9, {9, 9, {1, 0}, {9, 0}});
  const auto read = uut.tail_begins("a", true);
  ask(2, 5);
  auto page = made_page("a", 5, 6, 11);
  page.checked = true;
  page.found = stream_state{11, 11, {1, 0}, {11, 0}};
  old_came(page);
  CAF_CHECK_EQUAL(answers(), "1: a 10-11, 2: a checked 6-11");
  const auto late = checked_page("a", 9, stream_state{10, 10, {1, 0}, {10, 0}});
  uut.tail_checked({{late, read}});
  CAF_CHECK_EQUAL(answers(), "");
  CAF_CHECK_EQUAL(tail(), "9 x100 check");
  ask(2, 11);
  CAF_CHECK_EQUAL(answers(), "");
  ask(3, 5);
  CAF_CHECK_EQUAL(answers(), "3: a checked 6-11");
}

// Redis says twice that the stream does not exist. Between the two it had
// events, of which the hub knows from the page only.
CAF_TEST(a stream that was removed again is not the one from before) {
  ask(1, 0);
  ask(2, 0);
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 6-8, 2: a 6-8");
  ask(1, 8);
  const auto gone = checked_page("a", 8);
  uut.tail_checked({{gone, uut.tail_begins("a", true)}});
  CAF_CHECK_EQUAL(answers(), "1: a checked");
  ask_opened(1, 0, {});
  CAF_CHECK_EQUAL(answers(), "");
}

CAF_TEST(a reader that knows less than the hub gets no old page) {
  ask(1, 0);
  ask(2, 0);
  tail_brings(6, 8);
  CAF_CHECK_EQUAL(answers(), "1: a 6-8, 2: a 6-8");
  ask_opened(3, 0, {});
  CAF_CHECK_EQUAL(answers(), "");
  old_came(made_page("a", 0, 6, 8));
  CAF_CHECK_EQUAL(answers(), "3: a 6-8");
}

// Otherwise each answer that comes before the page would make it too old.
CAF_TEST(such a reader may ask again before its page comes) {
  ask(1, 0);
  tail_brings(6, 8);
  answers();
  ask_opened(2, 0, {});
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  ask_opened(2, 0, {});
  uut.old_came(made_page("a", 0, 6, 8), under_way[event_id{0, 0}]);
  CAF_CHECK_EQUAL(answers(), "2: a 6-8");
}

CAF_TEST(a new reader gets no page whose read began before it was opened) {
  const stream_state before{9, 9, {1, 0}, {9, 0}};
  const stream_state after{6, 9, {4, 0}, {9, 0}};
  ask_opened(1, 0, before);
  const auto read = uut.tail_begins("a", false);
  ask_opened(2, 0, after);
  uut.tail_came({{made_page("a", 0, 1, 9), read}});
  CAF_CHECK_EQUAL(answers(), "1: a 1-9");
  uut.tail_came({{made_page("a", 0, 4, 9), uut.tail_begins("a", false)}});
  CAF_CHECK_EQUAL(answers(), "2: a 4-9");
}

CAF_TEST(the same holds for an old read) {
  const stream_state before{9, 9, {1, 0}, {9, 0}};
  const stream_state after{6, 9, {4, 0}, {9, 0}};
  ask(1, 9);
  ask_opened(2, 0, before);
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  ask_opened(3, 0, after);
  old_came(made_page("a", 0, 1, 9));
  CAF_CHECK_EQUAL(answers(), "2: a 1-9");
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  old_came(made_page("a", 0, 4, 9));
  CAF_CHECK_EQUAL(answers(), "3: a 4-9");
}

CAF_TEST(a page of a read from before the stream was dropped is too old) {
  ask(1, 0);
  const auto read = uut.tail_begins("a", false);
  uut.leave(1);
  ask_opened(2, 0, {6, 9, {4, 0}, {9, 0}});
  uut.tail_came({{made_page("a", 0, 1, 9), read}});
  CAF_CHECK_EQUAL(answers(), "");
  CAF_CHECK_EQUAL(tail(), "0 x100");
}

CAF_TEST(an old read from before the stream was dropped is not a newer one) {
  const stream_state opened{6, 9, {4, 0}, {9, 0}};
  ask(1, 9);
  ask(2, 0);
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  const auto old = under_way[{0, 0}];
  uut.leave(1);
  uut.leave(2);
  ask(1, 9);
  ask_opened(2, 0, opened);
  CAF_CHECK_EQUAL(old_reads(), "a 0 x100");
  uut.old_came(made_page("a", 0, 1, 9), old);
  CAF_CHECK_EQUAL(answers(), "");
  old_came(made_page("a", 0, 4, 9));
  CAF_CHECK_EQUAL(answers(), "2: a 4-9");
  CAF_CHECK_EQUAL(old_reads(), "");
}

CAF_TEST(a reader that asks anew gets what it was waiting for) {
  const stream_state opened{9, 9, {1, 0}, {9, 0}};
  ask_opened(1, 0, opened);
  const auto read = uut.tail_begins("a", false);
  ask(1, std::vector<std::pair<std::string, uint64_t>>{});
  ask_opened(1, 0, opened);
  uut.tail_came({{made_page("a", 0, 1, 9), read}});
  CAF_CHECK_EQUAL(answers(), "1: a 1-9");
}

CAF_TEST(what a reader was opened with does not undo what is known since) {
  const stream_state before{9, 9, {1, 0}, {9, 0}};
  const stream_state after{6, 9, {4, 0}, {9, 0}};
  ask_opened(1, 0, before);
  auto facts = empty_page("a", 0);
  facts.checked = true;
  facts.found = after;
  uut.tail_checked({{facts, uut.tail_begins("a", true)}});
  ask_opened(1, 0, before);
  ask(3, 50);
  tail_brings(4, 9);
  answers();
  ask_opened(2, 0, after);
  CAF_CHECK_EQUAL(answers(), "2: a 4-9");
}

// -- failures -----------------------------------------------------------------

CAF_TEST(a failed old read is repeated when a reader asks again) {
  ask(1, 10);
  ask(2, 3);
  ask(3, 4);
  CAF_CHECK_EQUAL(old_reads(), "a 3 x100, a 4 x100");
  CAF_CHECK(uut.old_failed("a", {3, 0}) == std::vector<reader_id>{2});
  CAF_CHECK(uut.old_failed("b", {3, 0}).empty());
  ask(2, 3);
  CAF_CHECK_EQUAL(old_reads(), "a 3 x100");
}

CAF_TEST(a stream that Redis refuses to read does not stop others) {
  ask(1, {{"a", 5}, {"b", 5}});
  ask(2, {{"b", 5}});
  CAF_CHECK(uut.refuse("a") == std::vector<reader_id>{1});
  ask(1, {{"a", 5}, {"b", 5}});
  CAF_CHECK_EQUAL(tail("a"), "none");
  CAF_CHECK_EQUAL(tail("b"), "5 x100");
  CAF_CHECK(uut.refused() == std::vector<std::string>{"a"});
  uut.accept("a");
  uut.accept("c");
  CAF_CHECK(uut.refused().empty());
  CAF_CHECK_EQUAL(tail("a"), "5 x100");
}

CAF_TEST_FIXTURE_SCOPE_END()
