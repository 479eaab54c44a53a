#define CAF_SUITE integration.reader_faults

#include "support/durable_redis.hpp"
#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"
#include "support/waiting_worker.hpp"

#include <memory>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  recorder seen;
  std::vector<caf::actor> workers;
  stream numbers = must(ps.stream(unlimited()));

  fixture() : redis_fixture(durable_redis()) {
    // nop
  }

  ~fixture() {
    for (auto& x : workers)
      stop(x);
  }

  static stream_options unlimited() {
    stream_options result;
    result.name = "numbers";
    result.max_len = 0;
    return result;
  }

  reader open(uint32_t buffer, overflow_policy overflow) {
    reader_options x;
    x.streams = {"numbers"};
    x.buffer = buffer;
    x.overflow = overflow;
    return must(ps.reader(x));
  }

  caf::actor worker(recorder& out, reaction react = {}) {
    workers.push_back(spawn_worker(sys, out, {}, std::move(react)));
    return workers.back();
  }

  // Adds the numbers from `from` to `to` - 1.
  void add(int from, int to) {
    while (from < to) {
      std::vector<new_event> events;
      for (int i = 0; i < 10'000 && from < to; ++i)
        events.push_back({"n", std::to_string(from++), {}});
      for (auto& x : must(numbers.add(std::move(events))))
        CAF_REQUIRE(x.code == errc::none);
    }
  }

  // Adds the numbers one by one, each until Redis has confirmed it.
  void add_stubbornly(int from, int to) {
    for (; from < to; ++from)
      CAF_REQUIRE(eventually(
        [&] { return bool{numbers.add("n", std::to_string(from))}; }));
  }

  // Whether all numbers below `count` came, in order of their first coming.
  static bool complete(recorder& x, int count) {
    std::set<int> found;
    for (auto& payload : x.payloads()) {
      const auto number = std::stoi(payload);
      if (found.insert(number).second
          && number != static_cast<int>(found.size()) - 1)
        return false;
    }
    return static_cast<int>(found.size()) == count;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(reader_fault_tests, fixture)

// -- slow subscribers ---------------------------------------------------------

CAF_TEST(a slow subscriber gets everything and delays nobody) {
  constexpr int count = 100'000;
  recorder late;
  const auto go = make_flag();
  auto r = open(1'000, overflow_policy::pause);
  must(r.subscribe(worker(late, waits_for(go))));
  must(r.subscribe(worker(seen)));
  add(0, count);
  CAF_REQUIRE(seen.wait_for_count(count));
  CAF_CHECK(complete(seen, count));
  CAF_CHECK_EQUAL(late.size(), 1u);
  *go = true;
  CAF_REQUIRE(late.wait_for_count(count));
  // It is back at the live tail.
  add(count, count + 10);
  CAF_REQUIRE(late.wait_for_count(count + 10));
  CAF_CHECK(complete(late, count + 10));
  CAF_CHECK_EQUAL(late.size(), static_cast<size_t>(count) + 10);
  CAF_CHECK_EQUAL(must(r.info()).caught_up, 1u);
}

CAF_TEST(a subscriber that falls behind again and again gets everything) {
  constexpr int count = 20'000;
  recorder late;
  auto r = open(16, overflow_policy::pause);
  int handled = 0;
  auto slow = worker(late, [&](auto*, const event&) -> caf::result<void> {
    if (++handled % 100 == 0)
      std::this_thread::sleep_for(1ms);
    return caf::unit;
  });
  must(r.subscribe(slow, subscription{4}));
  must(r.subscribe(worker(seen)));
  for (int i = 1; i <= 5; ++i) {
    add((i - 1) * count / 5, i * count / 5);
    CAF_REQUIRE(late.wait_for_count(static_cast<size_t>(i * count / 5)));
  }
  CAF_REQUIRE(seen.wait_for_count(count));
  CAF_CHECK(complete(late, count));
  CAF_CHECK_EQUAL(late.size(), static_cast<size_t>(count));
  CAF_CHECK_GREATER(must(r.info()).caught_up, 1u);
}

CAF_TEST(the oldest events are dropped and counted if that is wanted) {
  const auto go = make_flag();
  auto r = open(10, overflow_policy::drop_oldest);
  must(r.subscribe(worker(seen, waits_for(go)), subscription{2}));
  add(0, 1'000);
  CAF_CHECK(eventually([&] { return must(r.info()).dropped == 988; }));
  *go = true;
  CAF_CHECK(seen.wait_for_count(12));
  const auto payloads = seen.payloads();
  CAF_CHECK_EQUAL(payloads[1], "1");
  CAF_CHECK_EQUAL(payloads[2], "990");
  CAF_CHECK_EQUAL(payloads.back(), "999");
}

CAF_TEST(a slow subscriber is ended if that is wanted) {
  const auto go = make_flag();
  auto r = open(10, overflow_policy::fail);
  auto slow = worker(seen, waits_for(go));
  must(r.subscribe(slow, subscription{2}));
  caf::scoped_actor self{sys};
  self->monitor(slow);
  add(0, 1'000);
  CAF_CHECK(eventually([&] { return must(r.info()).subscribers == 0; }));
  *go = true;
  self->receive([](const caf::down_msg& x) {
    CAF_CHECK(x.reason == errc::subscriber_overflow);
  });
}

// -- Redis and the network ----------------------------------------------------

CAF_TEST(a restart of Redis loses nothing) {
  auto r = open(1'000, overflow_policy::pause);
  must(r.subscribe(worker(seen)));
  add_stubbornly(0, 50);
  for (int round = 1; round <= 3; ++round) {
    server.crash();
    CAF_REQUIRE(server.restart().ok());
    add_stubbornly(50 * round, 50 * (round + 1));
  }
  CAF_REQUIRE(seen.wait_for_distinct(200));
  CAF_CHECK(eventually([&] { return complete(seen, 200); }));
}

CAF_TEST(a reader opened while Redis is away opens when it is back) {
  add(0, 3);
  server.stop();
  reader_options x;
  x.streams = {"numbers"};
  auto r = must(ps.reader(x));
  caf::scoped_actor self{sys};
  auto w = worker(seen);
  self->send(caf::actor_cast<caf::actor>(r.handle()), caf::subscribe_atom_v,
             caf::actor_cast<event_listener>(w), subscription{});
  std::this_thread::sleep_for(300ms);
  CAF_REQUIRE(server.restart().ok());
  // Subscribing again is answered when the reader knows its position.
  must(r.subscribe(w));
  add_stubbornly(3, 6);
  CAF_REQUIRE(seen.wait_for_count(3));
  const auto first = seen.payloads().front();
  CAF_CHECK_EQUAL(first, "3");
}

CAF_TEST(connections that are killed lose nothing) {
  auto r = open(1'000, overflow_policy::pause);
  must(r.subscribe(worker(seen)));
  for (int i = 0; i < 10; ++i) {
    add_stubbornly(20 * i, 20 * i + 20);
    raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  }
  CAF_REQUIRE(eventually([&] { return complete(seen, 200); }));
}

CAF_TEST_FIXTURE_SCOPE_END()
