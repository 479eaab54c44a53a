#define CAF_SUITE integration.sink

#include "support/sink_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

CAF_TEST_FIXTURE_SCOPE(sink_tests, sink_fixture)

CAF_TEST(each event reaches one worker and is acknowledged when it returns) {
  add_numbers("orders", 500);
  auto uut = open(options("billing", {"orders"}));
  auto a = spawn_worker(sys, seen, "a");
  auto b = spawn_worker(sys, seen, "b");
  must(uut.subscribe(a));
  must(uut.subscribe(b));
  CAF_REQUIRE(seen.wait_for_count(500));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 500u);
  CAF_CHECK_EQUAL(seen.distinct(), 500u);
  std::map<std::string, int> share;
  for (auto& x : seen.all())
    ++share[x.by];
  CAF_CHECK_EQUAL(share.size(), 2u);
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.acked, 500u);
  CAF_CHECK_EQUAL(info.held, 0u);
  CAF_CHECK_EQUAL(info.redelivered, 0u);
  stop(a);
  stop(b);
}

CAF_TEST(one worker gets first deliveries in stream order) {
  auto uut = open(options("billing", {"orders"}));
  auto a = spawn_worker(sys, seen);
  must(uut.subscribe(a));
  add_numbers("orders", 1000);
  CAF_REQUIRE(seen.wait_for_count(1000));
  auto xs = seen.payloads();
  for (int i = 0; i < 1000; ++i)
    CAF_REQUIRE_EQUAL(xs[static_cast<size_t>(i)], std::to_string(i));
  stop(a);
}

CAF_TEST(sinks of different names each get everything) {
  add_numbers("orders", 50);
  recorder other;
  auto uut1 = open(options("billing", {"orders"}));
  auto uut2 = open(options("shipping", {"orders"}));
  auto a = spawn_worker(sys, seen);
  auto b = spawn_worker(sys, other);
  must(uut1.subscribe(a));
  must(uut2.subscribe(b));
  CAF_CHECK(seen.wait_for_count(50));
  CAF_CHECK(other.wait_for_count(50));
  stop(a);
  stop(b);
}

CAF_TEST(two nodes with the same sink share the work) {
  auto first = open(options("billing", {"orders"}));
  node second_node{server.url()};
  auto second = must(second_node.pulse->sink(options("billing", {"orders"})));
  auto a = spawn_worker(sys, seen, "a");
  auto b = spawn_worker(*second_node.sys, seen, "b");
  must(first.subscribe(a));
  must(second.subscribe(b));
  for (int i = 0; i < 20; ++i)
    add_numbers("orders", 20, i * 20);
  CAF_REQUIRE(seen.wait_for_distinct(400));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 400u);
  stop(a);
  stop(b);
}

CAF_TEST(nothing is read before somebody subscribed) {
  add_numbers("orders", 5);
  auto uut = open(options("billing", {"orders"}));
  must(uut.info());
  std::this_thread::sleep_for(100ms);
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 0);
  auto a = spawn_worker(sys, seen);
  must(uut.subscribe(a));
  CAF_CHECK(seen.wait_for_count(5));
  stop(a);
}

CAF_TEST(an error of the handler brings the event back after the backoff) {
  add_numbers("orders", 1);
  auto uut = open(options("billing", {"orders"}));
  std::atomic<int> calls{0};
  auto a = spawn_worker(sys, seen, "a", [&](auto*, const event&) {
    return ++calls < 3 ? refuse() : ok();
  });
  must(uut.subscribe(a));
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_CHECK(drained("orders", "billing"));
  auto xs = seen.all();
  CAF_CHECK_EQUAL(xs[0].what.counts().deliveries, 1u);
  CAF_CHECK_EQUAL(xs[2].what.counts().deliveries, 3u);
  CAF_CHECK_EQUAL(xs[2].what.counts().failures, 2u);
  CAF_CHECK(xs[1].at - xs[0].at >= 37ms);
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 2u);
  stop(a);
}

CAF_TEST(manual workers decide with messages) {
  add_numbers("orders", 3);
  auto opts = options("billing", {"orders"});
  opts.ack = ack_mode::manual;
  opts.ack_wait = 300ms;
  auto uut = open(opts);
  auto a = spawn_worker(sys, seen);
  must(uut.subscribe(a));
  CAF_REQUIRE(seen.wait_for_count(3));
  auto xs = seen.all();
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 3);
  // Acknowledged: confirmed by Redis when the answer is there.
  must(uut.ack(xs[0].what.delivery()));
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 2);
  // Again, or what never was: harmless, and reported.
  auto again = uut.ack(xs[0].what.delivery());
  CAF_REQUIRE(!again);
  CAF_CHECK(again.error() == errc::no_such_delivery);
  auto unknown = uut.ack({"orders", {1, 1}});
  CAF_CHECK(!unknown && unknown.error() == errc::no_such_delivery);
  // Given up: a dead letter.
  must(uut.term(xs[1].what.delivery(), "bad address"));
  CAF_CHECK(eventually([&] {
    return raw.number({"XLEN", "pulse:stream:orders:dead:billing"}) == 1;
  }));
  auto letter = raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  CAF_CHECK(letter.find("x-reason bad address") != std::string::npos);
  CAF_CHECK(letter.find("x-id " + to_string(xs[1].what.id()))
            != std::string::npos);
  // Failed: comes back.
  must(uut.nack(xs[2].what.delivery(), 20ms));
  CAF_REQUIRE(seen.wait_for_count(4));
  const auto payloads = seen.payloads();
  CAF_CHECK_EQUAL(payloads.back(), "2");
  // The first delivery has ended, and says nothing about the second one.
  const auto late = uut.extend(xs[2].what.delivery());
  CAF_CHECK(!late && late.error() == errc::no_such_delivery);
  // Extended beyond ack_wait: does not come back.
  const auto second = seen.all().back().what.delivery();
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(150ms);
    must(uut.extend(second));
  }
  CAF_CHECK_EQUAL(seen.size(), 4u);
  // Forgotten: comes back after ack_wait.
  CAF_REQUIRE(seen.wait_for_count(5));
  must(uut.ack(seen.all().back().what.delivery()));
  CAF_CHECK(drained("orders", "billing"));
  stop(a);
}

CAF_TEST(a rejected event becomes a dead letter at once) {
  add_numbers("orders", 2);
  auto uut = open(options("billing", {"orders"}));
  auto a = spawn_worker(sys, seen, "a", [](auto*, const event& x) {
    return x.payload() == "0" ? caf::result<void>(pulse::term("no such user"))
                              : ok();
  });
  must(uut.subscribe(a));
  CAF_REQUIRE(seen.wait_for_count(2));
  CAF_CHECK(drained("orders", "billing"));
  auto letter = raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  CAF_CHECK(letter.find("x-reason no such user") != std::string::npos);
  CAF_CHECK(letter.find("n number p 0") != std::string::npos);
  CAF_CHECK_EQUAL(must(uut.info()).dead_letters, 1u);
  stop(a);
}

CAF_TEST(without acks nothing is pending and nothing comes back) {
  add_numbers("orders", 20);
  auto opts = options("billing", {"orders"});
  opts.ack = ack_mode::none;
  auto uut = open(opts);
  auto a = spawn_worker(sys, seen, "a",
                        [](auto*, const event&) { return refuse(); });
  must(uut.subscribe(a));
  CAF_REQUIRE(seen.wait_for_count(20));
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 0);
  std::this_thread::sleep_for(200ms);
  CAF_CHECK_EQUAL(seen.size(), 20u);
  stop(a);
}

CAF_TEST(broadcast gives each subscriber a copy) {
  auto opts = options("billing", {"orders"});
  opts.dispatch = dispatch_mode::broadcast;
  auto uut = open(opts);
  auto a = spawn_worker(sys, seen, "a");
  auto b = spawn_worker(sys, seen, "b");
  must(uut.subscribe(a));
  must(uut.subscribe(b));
  add_numbers("orders", 100);
  CAF_REQUIRE(seen.wait_for_count(200));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 200u);
  CAF_CHECK_EQUAL(seen.distinct(), 100u);
  stop(a);
  stop(b);
}

CAF_TEST(keyed keeps the order of each topic though handlers fail) {
  std::vector<new_event> events;
  for (int i = 0; i < 60; ++i)
    events.push_back({"n", std::to_string(i), "t" + std::to_string(i % 3)});
  must(must(ps.stream("orders")).add(std::move(events)));
  auto opts = options("billing", {"orders"});
  opts.dispatch = dispatch_mode::keyed;
  auto uut = open(opts);
  std::vector<caf::actor> workers;
  // Each event fails at its first delivery.
  for (int i = 0; i < 3; ++i) {
    workers.push_back(
      spawn_worker(sys, seen, std::to_string(i), [](auto*, const event& x) {
        return x.counts().deliveries == 1 ? refuse() : ok();
      }));
    must(uut.subscribe(workers.back()));
  }
  CAF_REQUIRE(seen.wait_for_count(120));
  CAF_CHECK(drained("orders", "billing"));
  std::map<std::string, std::vector<int>> done;
  std::map<std::string, std::set<std::string>> by;
  for (auto& x : seen.all()) {
    std::string topic{x.what.topic()};
    by[topic].insert(x.by);
    if (x.what.counts().deliveries == 2)
      done[topic].push_back(std::stoi(std::string{x.what.payload()}));
  }
  for (auto& [topic, xs] : done) {
    CAF_CHECK_EQUAL(xs.size(), 20u);
    CAF_CHECK(std::is_sorted(xs.begin(), xs.end()));
  }
  for (auto& x : workers)
    stop(x);
}

CAF_TEST(what the filter does not want is acknowledged for this sink only) {
  std::vector<new_event> events;
  for (int i = 0; i < 30; ++i)
    events.push_back({"n", std::to_string(i), i % 3 == 0 ? "eu.de" : "us.ny"});
  must(must(ps.stream("orders")).add(std::move(events)));
  auto opts = options("europe", {"orders"});
  opts.filter.topic_pattern = "eu\\..*";
  auto uut = open(opts);
  auto picky = options("one", {"orders"});
  picky.filter.predicate = [](const event& x) { return x.payload() == "7"; };
  auto one = open(picky);
  recorder other;
  recorder single;
  auto everything = open(options("all", {"orders"}));
  auto a = spawn_worker(sys, seen);
  auto b = spawn_worker(sys, other);
  auto c = spawn_worker(sys, single);
  must(uut.subscribe(a));
  must(everything.subscribe(b));
  must(one.subscribe(c));
  CAF_REQUIRE(other.wait_for_count(30));
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_REQUIRE(single.wait_for_count(1));
  CAF_CHECK(drained("orders", "europe"));
  CAF_CHECK(drained("orders", "one"));
  CAF_CHECK_EQUAL(seen.size(), 10u);
  CAF_CHECK_EQUAL(must(uut.info()).filtered, 20u);
  CAF_CHECK_EQUAL(raw.number({"XLEN", "pulse:stream:orders"}), 30);
  for (auto& x : {a, b, c})
    stop(x);
}

CAF_TEST(streams come and go while the sink runs) {
  add_numbers("a", 3);
  add_numbers("b", 3);
  auto uut = open(options("billing", {"a"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_REQUIRE(read_is_blocked());
  const auto before = unblocks();
  must(uut.add_stream("b", start_position::oldest()));
  must(uut.add_stream("b", start_position::oldest())); // as good as once
  CAF_REQUIRE(seen.wait_for_count(6));
  CAF_CHECK_GREATER(unblocks(), before); // no read ran out
  CAF_CHECK_EQUAL(must(uut.info()).streams.size(), 2u);
  CAF_CHECK(must(uut.remove_stream("a")));
  CAF_CHECK(!must(uut.remove_stream("a")));
  CAF_CHECK(!must(uut.remove_stream("never")));
  add_numbers("a", 3, 10);
  add_numbers("b", 3, 20);
  CAF_REQUIRE(seen.wait_for_count(9));
  std::this_thread::sleep_for(100ms);
  CAF_CHECK_EQUAL(seen.size(), 9u);
  // The group stayed: what came meanwhile is there.
  must(uut.add_stream("a"));
  CAF_CHECK(seen.wait_for_count(12));
  // Without any stream it is idle, not broken.
  CAF_CHECK(must(uut.remove_stream("a")));
  CAF_CHECK(must(uut.remove_stream("b")));
  must(uut.add_stream("c", start_position::oldest()));
  add_numbers("c", 1);
  CAF_CHECK(seen.wait_for_count(13));
  auto bad = uut.add_stream("no blanks");
  CAF_CHECK(!bad && bad.error() == errc::invalid_name);
  stop(w);
}

CAF_TEST(a stream that is none does not stop the others) {
  raw({"SET", "pulse:stream:wrong", "x"});
  add_numbers("orders", 2);
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  auto bad = uut.add_stream("wrong");
  CAF_REQUIRE(!bad);
  CAF_CHECK(bad.error() == errc::wrong_type);
  CAF_CHECK(describe(bad.error()).find("wrong") != std::string::npos);
  CAF_CHECK(seen.wait_for_count(2));
  // One that turns into something else while it is read.
  must(uut.add_stream("turns"));
  raw({"DEL", "pulse:stream:turns"});
  raw({"SET", "pulse:stream:turns", "x"});
  add_numbers("orders", 3, 10);
  CAF_CHECK(seen.wait_for_count(5));
  stop(w);
}

CAF_TEST(an idle sink closes at once and twice) {
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_REQUIRE(read_is_blocked());
  const auto begin = std::chrono::steady_clock::now();
  must(uut.close());
  const auto took = std::chrono::steady_clock::now() - begin;
  CAF_MESSAGE(
    "closed in "
    << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
    << " us");
  must(uut.close());
  CAF_CHECK_EQUAL(raw({"XINFO", "CONSUMERS", "pulse:stream:orders", "billing"}),
                  "");
  auto late = uut.subscribe(w);
  CAF_CHECK(!late && to_failure(late.error()).code == errc::closed);
  stop(w);
}

CAF_TEST(closing lets handlers finish and hands the rest to other nodes) {
  auto opts = options("billing", {"orders"});
  opts.credit = 1;
  opts.lease = 5min; // longer than the test waits
  auto uut = open(opts);
  std::atomic<bool> go{false};
  auto slow = spawn_worker(sys, seen, "slow", [&](auto*, const event&) {
    while (!go)
      std::this_thread::sleep_for(1ms);
    return ok();
  });
  must(uut.subscribe(slow));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(1));
  CAF_REQUIRE(eventually([&] { return must(uut.info()).held >= 2; }));
  caf::scoped_actor self{sys};
  self->send(uut.handle(), caf::close_atom_v);
  std::this_thread::sleep_for(50ms);
  CAF_CHECK_EQUAL(seen.size(), 1u);
  go = true;
  must(uut.close());
  // The running one was acknowledged, the others are free at once: no lease.
  node next{server.url()};
  auto again = must(next.pulse->sink(opts));
  recorder rest;
  auto w = spawn_worker(*next.sys, rest);
  must(again.subscribe(w));
  CAF_REQUIRE(rest.wait_for_count(9));
  for (auto& x : rest.all())
    CAF_CHECK_EQUAL(x.what.counts().crashes, 0u);
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size() + rest.size(), 10u);
  stop(slow);
  stop(w);
}

CAF_TEST(a dead subscriber is refused with a reason) {
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  stop(w);
  CAF_CHECK(eventually([&] {
    auto x = uut.subscribe(w);
    return !x && x.error() == errc::no_such_subscriber;
  }));
}

CAF_TEST(the same sink with other options is refused) {
  auto uut = open(options("billing", {"orders"}));
  CAF_CHECK(must(ps.sink(options("billing", {"orders"}))).handle()
            == uut.handle());
  auto opts = options("billing", {"orders"});
  opts.max_in_flight = 7;
  auto other = ps.sink(opts);
  CAF_REQUIRE(!other);
  CAF_CHECK(other.error() == errc::already_open);
  opts.name = "bad name";
  auto bad = ps.sink(opts);
  CAF_CHECK(!bad && bad.error() == errc::invalid_name);
}

CAF_TEST_FIXTURE_SCOPE_END()
