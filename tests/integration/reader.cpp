#define CAF_SUITE integration.reader

#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  recorder seen;
  std::vector<caf::actor> workers;

  ~fixture() {
    for (auto& x : workers)
      stop(x);
  }

  reader_options options(std::vector<std::string> streams,
                         start_position start = {}) {
    reader_options result;
    result.streams = std::move(streams);
    result.start = start;
    return result;
  }

  reader open(reader_options x) {
    return must(ps.reader(std::move(x)));
  }

  caf::actor worker(recorder& out, reaction react = {}) {
    workers.push_back(spawn_worker(sys, out, {}, std::move(react)));
    return workers.back();
  }

  // Opens a reader whose events `out` records.
  reader open(reader_options x, recorder& out) {
    auto result = open(std::move(x));
    must(result.subscribe(worker(out)));
    return result;
  }

  static std::string joined(recorder& x) {
    std::string result;
    for (auto& payload : x.payloads())
      result.append(result.empty() ? "" : " ").append(payload);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(reader_tests, fixture)

// -- positions ----------------------------------------------------------------

CAF_TEST(a reader begins where its start says) {
  add_numbers("a", 3);
  std::this_thread::sleep_for(5ms);
  auto events = must(must(ps.stream("a")).add({{"n", "3", {}}}));
  const auto third = events[0].id;
  const std::chrono::system_clock::time_point time{
    std::chrono::milliseconds{third.ms}};
  recorder oldest;
  recorder after;
  recorder at;
  auto r1 = open(options({"a"}, start_position::newest()), seen);
  auto r2 = open(options({"a"}, start_position::oldest()), oldest);
  auto r3 = open(options({"a"}, start_position::after(third)), after);
  auto r4 = open(options({"a"}, start_position::at(time)), at);
  add_numbers("a", 2, 4);
  CAF_CHECK(seen.wait_for_count(2));
  CAF_CHECK(oldest.wait_for_count(6));
  CAF_CHECK(after.wait_for_count(2));
  CAF_CHECK(at.wait_for_count(3));
  const std::vector<std::string> texts{joined(seen), joined(oldest),
                                       joined(after), joined(at)};
  CAF_CHECK_EQUAL(texts[0], "4 5");
  CAF_CHECK_EQUAL(texts[1], "0 1 2 3 4 5");
  CAF_CHECK_EQUAL(texts[2], "4 5");
  CAF_CHECK_EQUAL(texts[3], "3 4 5");
}

CAF_TEST(whatever is added after the answer to subscribe is seen) {
  add_numbers("a", 3);
  for (int i = 0; i < 20; ++i) {
    recorder out;
    auto r = open(options({"a", "quiet", "new" + std::to_string(i)}), out);
    raw({"XADD", "pulse:stream:new" + std::to_string(i), "*", "n", "x", "p",
         "1"});
    raw({"XADD", "pulse:stream:a", "*", "n", "x", "p", "2"});
    CAF_CHECK(out.wait_for_count(2));
    raw({"XADD", "pulse:stream:quiet", "*", "n", "x", "p", "3"});
    CAF_CHECK(out.wait_for_count(3));
    must(r.close());
  }
}

CAF_TEST(nothing is missed while nobody is subscribed) {
  auto r = open(options({"a"}));
  must(r.info());
  // The position is resolved when the first subscriber is answered.
  auto first = worker(seen);
  must(r.subscribe(first));
  CAF_CHECK(must(r.unsubscribe(first)));
  add_numbers("a", 10);
  must(r.subscribe(worker(seen)));
  CAF_CHECK(seen.wait_for_count(10));
  CAF_CHECK_EQUAL(seen.distinct(), 10u);
}

// -- who gets what ------------------------------------------------------------

CAF_TEST(each reader and each subscriber gets everything in order) {
  recorder other;
  recorder third;
  auto r1 = open(options({"a"}), seen);
  auto r2 = open(options({"a"}), other);
  must(r2.subscribe(worker(third)));
  add_numbers("a", 2000);
  for (auto* x : {&seen, &other, &third}) {
    CAF_REQUIRE(x->wait_for_count(2000));
    const auto payloads = x->payloads();
    for (size_t i = 0; i < 2000; ++i)
      CAF_REQUIRE_EQUAL(payloads[i], std::to_string(i));
  }
  const auto info = must(r2.info());
  CAF_CHECK_EQUAL(info.received, 2000u);
  CAF_CHECK_EQUAL(info.delivered, 4000u);
  CAF_CHECK_EQUAL(info.subscribers, 2u);
}

CAF_TEST(filters by topic and pattern and predicate) {
  std::vector<new_event> events;
  for (int i = 0; i < 30; ++i)
    events.push_back({"n", std::to_string(i), i % 3 == 0 ? "eu.de" : "us.ny"});
  for (auto& x : must(must(ps.stream("a")).add(std::move(events))))
    CAF_REQUIRE(x.code == errc::none);
  recorder pattern;
  recorder predicate;
  auto by_topic = options({"a"}, start_position::oldest());
  by_topic.filter.topic = "us.ny";
  auto by_pattern = options({"a"}, start_position::oldest());
  by_pattern.filter.topic_pattern = "eu\\..*";
  auto by_predicate = options({"a"}, start_position::oldest());
  by_predicate.filter.predicate = [](const event& x) {
    return x.payload() == "7";
  };
  auto r1 = open(by_topic, seen);
  auto r2 = open(by_pattern, pattern);
  auto r3 = open(by_predicate, predicate);
  CAF_CHECK(seen.wait_for_count(20));
  CAF_CHECK(pattern.wait_for_count(10));
  CAF_CHECK(predicate.wait_for_count(1));
  CAF_CHECK(eventually([&] { return must(r3.info()).filtered == 29; }));
  CAF_CHECK_EQUAL(seen.size(), 20u);
  CAF_CHECK_EQUAL(pattern.size(), 10u);
}

CAF_TEST(a dead subscriber is refused and one that dies is removed) {
  auto r = open(options({"a"}));
  auto dead = worker(seen);
  stop(dead);
  CAF_CHECK(eventually([&] {
    auto x = r.subscribe(dead);
    return !x && x.error() == errc::no_such_subscriber;
  }));
  auto dies = worker(seen);
  must(r.subscribe(dies));
  stop(dies);
  CAF_CHECK(eventually([&] { return must(r.info()).subscribers == 0; }));
}

// -- streams ------------------------------------------------------------------

CAF_TEST(streams come and go while the reader runs) {
  add_numbers("a", 3);
  add_numbers("b", 3);
  auto r = open(options({"a"}, start_position::oldest()), seen);
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_REQUIRE(read_is_blocked());
  const auto before = unblocks();
  must(r.add_stream("b", start_position::oldest()));
  must(r.add_stream("b", start_position::oldest())); // as good as once
  CAF_REQUIRE(seen.wait_for_count(6));
  CAF_CHECK_GREATER(unblocks(), before); // no read ran out
  CAF_CHECK_EQUAL(must(r.info()).streams.size(), 2u);
  CAF_CHECK(must(r.remove_stream("a")));
  CAF_CHECK(!must(r.remove_stream("a")));
  add_numbers("a", 3, 10);
  add_numbers("b", 3, 20);
  CAF_REQUIRE(seen.wait_for_count(9));
  CAF_CHECK(must(r.remove_stream("b")));
  CAF_CHECK(must(r.info()).streams.empty());
  add_numbers("b", 3, 30);
  std::this_thread::sleep_for(50ms);
  CAF_CHECK_EQUAL(seen.size(), 9u);
  must(r.add_stream("c", start_position::newest()));
  add_numbers("c", 1);
  CAF_CHECK(seen.wait_for_count(10));
  auto bad = r.add_stream("no blanks");
  CAF_CHECK(!bad && bad.error() == errc::invalid_name);
}

CAF_TEST(many streams are read and each keeps its order) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i)
    names.push_back("s" + std::to_string(i));
  auto r = open(options({names.begin(), names.begin() + 50}), seen);
  for (int i = 50; i < 100; ++i)
    must(r.add_stream(names[static_cast<size_t>(i)]));
  for (auto& x : names)
    add_numbers(x, 100);
  CAF_REQUIRE(seen.wait_for_count(10'000));
  std::map<std::string_view, int> next;
  const auto all = seen.all();
  for (auto& x : all)
    CAF_REQUIRE_EQUAL(std::string{x.what.payload()},
                      std::to_string(next[x.what.stream()]++));
  CAF_CHECK_EQUAL(next.size(), 100u);
}

CAF_TEST(a stream of the wrong type does not stop the others) {
  raw({"SET", "pulse:stream:wrong", "x"});
  auto r = open(options({"a"}), seen);
  auto bad = r.add_stream("wrong");
  CAF_REQUIRE(!bad);
  CAF_CHECK(bad.error() == errc::wrong_type);
  CAF_CHECK(describe(bad.error()).find("wrong") != std::string::npos);
  // One that turns into something else while it is read, and back.
  must(r.add_stream("turns"));
  raw({"SET", "pulse:stream:turns", "x"});
  add_numbers("a", 3);
  CAF_CHECK(seen.wait_for_count(3));
  raw({"DEL", "pulse:stream:turns"});
  add_numbers("turns", 3);
  CAF_CHECK(seen.wait_for_count(6));
  // At opening, subscribe says which one it is.
  auto broken = open(options({"a", "wrong"}));
  auto refused = broken.subscribe(worker(seen));
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error() == errc::wrong_type);
  CAF_CHECK(must(broken.remove_stream("wrong")));
  must(broken.subscribe(worker(seen)));
}

CAF_TEST(an entry without name or payload is skipped and counted) {
  auto r = open(options({"a"}), seen);
  raw({"XADD", "pulse:stream:a", "*", "n", "x"});
  raw({"XADD", "pulse:stream:a", "*", "p", "x"});
  raw({"XADD", "pulse:stream:a", "*", "x", "y", "p", "", "t", "", "n", "x"});
  CAF_CHECK(seen.wait_for_count(1));
  CAF_CHECK_EQUAL(must(r.info()).malformed, 2u);
}

// -- closing ------------------------------------------------------------------

CAF_TEST(a reader whose read is blocked closes at once and twice) {
  auto r = open(options({"a"}), seen);
  CAF_REQUIRE(read_is_blocked());
  const auto begin = std::chrono::steady_clock::now();
  must(r.close());
  const auto took = std::chrono::steady_clock::now() - begin;
  CAF_MESSAGE(
    "closed in "
    << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
    << " us");
  must(r.close());
  auto late = r.subscribe(worker(seen));
  CAF_CHECK(!late && to_failure(late.error()).code == errc::closed);
  // Its connection is gone, too.
  CAF_CHECK(eventually([&] {
    return raw({"CLIENT", "LIST"}).find("reader") == std::string::npos;
  }));
}

CAF_TEST_FIXTURE_SCOPE_END()
