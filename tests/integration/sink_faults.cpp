#define CAF_SUITE integration.sink_faults

#include "pulse/resp/sink_scripts.hpp"

#include "support/durable_redis.hpp"
#include "support/notice_log.hpp"
#include "support/sink_fixture.hpp"

#include <atomic>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : sink_fixture {
  fixture() : sink_fixture(durable_redis()) {
    // nop
  }

  notice_log news;
  std::string consumer;

  // A consumer of another node, which reads `n` events and then disappears.
  // The sink may just be about to create its group.
  void read_and_die(const std::string& stream, const std::string& sink, int n) {
    CAF_REQUIRE(eventually([&] {
      return raw({"XREADGROUP", "GROUP", sink, "dead.1.x", "COUNT",
                  std::to_string(n), "STREAMS", "pulse:stream:" + stream, ">"})
               .find("NOGROUP")
             == std::string::npos;
    }));
  }

  // How long after `cause` the second delivery of the first event came.
  void report(const char* what, recorder::clock::time_point cause,
              recorder::clock::time_point effect) {
    using std::chrono::microseconds;
    CAF_MESSAGE(
      what << ": "
           << std::chrono::duration_cast<microseconds>(effect - cause).count()
           << " us");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_faults_tests, fixture)

CAF_TEST(the event of a worker that throws goes to another at once) {
  auto uut = open(options("billing", {"orders"}));
  auto bad = spawn_worker(sys, seen, "bad",
                          [](auto*, const event&) -> caf::result<void> {
                            throw std::runtime_error("boom");
                          });
  must(uut.subscribe(bad));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  auto good = spawn_worker(sys, seen, "good");
  must(uut.subscribe(good));
  CAF_REQUIRE(seen.wait_for_count(2));
  CAF_CHECK(drained("orders", "billing"));
  auto xs = seen.all();
  CAF_CHECK_EQUAL(xs[1].by, "good");
  CAF_CHECK_EQUAL(xs[1].what.counts().crashes, 1u);
  CAF_CHECK_EQUAL(xs[1].what.counts().failures, 0u);
  stop(good);
}

CAF_TEST(the event of a worker that dies goes to another one without a pause) {
  auto opts = options("billing", {"orders"});
  opts.credit = 1;
  auto uut = open(opts);
  auto dies = spawn_worker(sys, seen, "dies", keep_unanswered);
  must(uut.subscribe(dies));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  auto good = spawn_worker(sys, seen, "good");
  must(uut.subscribe(good));
  const auto cause = recorder::clock::now();
  caf::anon_send_exit(dies, caf::exit_reason::kill);
  CAF_REQUIRE(seen.wait_for_count(2));
  auto xs = seen.all();
  report("worker killed to redelivery", cause, xs[1].at);
  CAF_CHECK_EQUAL(xs[1].by, "good");
  // Neither ack_wait nor a pause ended: both count as failures.
  CAF_CHECK_EQUAL(xs[1].what.counts().failures, 0u);
  CAF_CHECK_EQUAL(xs[1].what.counts().crashes, 1u);
  CAF_CHECK(drained("orders", "billing"));
  stop(good);
}

CAF_TEST(a worker that hangs loses its event after ack_wait) {
  auto opts = options("billing", {"orders"});
  opts.ack_wait = 300ms;
  auto uut = open(opts);
  auto hangs = spawn_worker(sys, seen, "hangs", keep_unanswered);
  must(uut.subscribe(hangs));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  auto good = spawn_worker(sys, seen, "good");
  must(uut.subscribe(good));
  CAF_REQUIRE(seen.wait_for_count(2));
  auto xs = seen.all();
  report("dispatch to a hanging worker to redelivery", xs[0].at, xs[1].at);
  CAF_CHECK_EQUAL(xs[1].by, "good");
  CAF_CHECK(xs[1].at - xs[0].at >= 300ms);
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).timeouts, 1u);
  stop(hangs);
  stop(good);
}

CAF_TEST(a slow handler on a live node is never duplicated) {
  auto opts = options("billing", {"orders"}); // lease 1 s
  auto uut = open(opts);
  auto slow = spawn_worker(sys, seen, "slow", [](auto*, const event&) {
    std::this_thread::sleep_for(3s);
    return ok();
  });
  must(uut.subscribe(slow));
  node other_node{server.url()};
  auto other = must(other_node.pulse->sink(opts));
  auto idle = spawn_worker(*other_node.sys, seen, "other");
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  must(other.subscribe(idle));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 1u);
  stop(slow);
  stop(idle);
}

CAF_TEST(events of a dead node are taken over after its lease) {
  add_numbers("orders", 10);
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "billing", "0"});
  read_and_die("orders", "billing", 6);
  const auto cause = recorder::clock::now();
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_distinct(10));
  auto xs = seen.all();
  report("death of a node to redelivery with a lease of 1 s", cause,
         xs.back().at);
  CAF_CHECK_EQUAL(seen.size(), 10u);
  CAF_CHECK_EQUAL(xs.back().what.counts().deliveries, 2u);
  CAF_CHECK_EQUAL(xs.back().what.counts().crashes, 1u);
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(must(uut.info()).taken_over, 6u);
  // The consumer is removed when it holds no events any more.
  CAF_CHECK(eventually([&] {
    return raw({"XINFO", "CONSUMERS", "pulse:stream:orders", "billing"})
             .find("dead.1.x")
           == std::string::npos;
  }));
  stop(w);
}

CAF_TEST(a consumer that holds events is never removed) {
  auto opts = options("billing", {"orders"});
  opts.lease = 500ms;
  auto uut = open(opts);
  add_numbers("orders", 3);
  read_and_die("orders", "billing", 3);
  // There is no subscriber, so no node takes events over; several sweeps pass.
  std::this_thread::sleep_for(4s);
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 3);
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_CHECK(seen.wait_for_distinct(3));
  stop(w);
}

CAF_TEST(a malformed entry becomes a dead letter and the others go on) {
  raw({"XADD", "pulse:stream:orders", "*", "p", "no name"});
  raw({"XADD", "pulse:stream:orders", "*", "n", "no payload"});
  raw({"XADD", "pulse:stream:orders", "*", "foo", "bar"});
  raw({"XADD", "pulse:stream:orders", "*", "n", "by hand", "p", "fine", "z",
       "extra"});
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_count(1));
  CAF_CHECK_EQUAL(seen.payloads(), std::vector<std::string>{"fine"});
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(raw.number({"XLEN", "pulse:stream:orders:dead:billing"}), 3);
  auto letters = raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  CAF_CHECK(letters.find("x-reason malformed") != std::string::npos);
  CAF_CHECK_EQUAL(must(uut.info()).malformed, 3u);
  stop(w);
}

CAF_TEST(an event that keeps failing becomes a dead letter) {
  auto opts = options("billing", {"orders"});
  opts.max_deliveries = 3;
  auto uut = open(opts);
  auto w = spawn_worker(sys, seen, "w", [](auto*, const event& x) {
    return x.payload() == "0" ? refuse() : ok();
  });
  must(uut.subscribe(w));
  add_numbers("orders", 2);
  CAF_REQUIRE(seen.wait_for_count(4));
  CAF_CHECK(drained("orders", "billing"));
  auto letter = raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  CAF_CHECK(letter.find("x-deliveries 3") != std::string::npos);
  CAF_CHECK(letter.find("gave up after 3 failures") != std::string::npos);
  stop(w);
}

CAF_TEST(events that wait for their next attempt do not stop the others) {
  auto opts = options("billing", {"orders"});
  opts.backoff = {600s};
  opts.credit = 2;
  auto uut = open(opts);
  auto w = spawn_worker(sys, seen, "w", [](auto*, const event& x) {
    return std::stoi(std::string{x.payload()}) < 50 ? refuse() : ok();
  });
  must(uut.subscribe(w));
  add_numbers("orders", 100);
  CAF_CHECK(seen.wait_for_distinct(100));
  CAF_CHECK(eventually([&] { return must(uut.info()).acked == 50; }));
  CAF_CHECK_EQUAL(must(uut.info()).waiting, 50u);
  stop(w);
}

CAF_TEST(lost connections lose nothing and repeat nothing) {
  add_numbers("orders", 2000);
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen, "w", [](auto*, const event&) {
    std::this_thread::sleep_for(1ms);
    return ok();
  });
  must(uut.subscribe(w));
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(150ms);
    raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  }
  CAF_REQUIRE(seen.wait_for_distinct(2000, 40s));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 2000u);
  stop(w);
}

CAF_TEST(a group that vanishes is created again below what is not acked) {
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_CHECK(drained("orders", "billing"));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  add_numbers("orders", 10, 10);
  CAF_REQUIRE(seen.wait_for_distinct(20));
  CAF_CHECK_EQUAL(seen.size(), 20u); // what was acked does not come back
  CAF_CHECK_EQUAL(must(uut.info()).groups_recovered, 1u);
  stop(w);
}

CAF_TEST(events of a live sink whose consumer somebody deletes are not lost) {
  auto how = options("billing", {"orders"});
  how.lease = 3s;
  how.credit = 16; // so that the sink wants all ten
  auto uut = open(how);
  must(uut.on_notice(news.listener()));
  std::atomic<bool> waits{true};
  auto w = spawn_worker(sys, seen, "w", [&](auto*, const event&) {
    while (waits)
      std::this_thread::sleep_for(10ms);
    return caf::result<void>{caf::unit};
  });
  must(uut.subscribe(w));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(1));
  CAF_REQUIRE(eventually([&] { return must(uut.info()).held == 10; }));
  const auto gone = raw({"XGROUP", "DELCONSUMER", "pulse:stream:orders",
                         "billing", must(uut.info()).consumer});
  CAF_CHECK_EQUAL(gone, "10");
  auto told = news.wait(notice_kind::consumer_deleted);
  CAF_REQUIRE(told);
  CAF_CHECK(!told->data_loss);
  CAF_CHECK_EQUAL(must(uut.info()).consumers_deleted, 1u);
  CAF_CHECK_EQUAL(must(uut.info()).lost_leases, 0u);
  // They are pending again, with the counts that they had.
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 10);
  waits = false;
  CAF_CHECK(seen.wait_for_distinct(10));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 10u);
  for (const auto& x : seen.all())
    CAF_CHECK_EQUAL(x.what.counts().deliveries, 1u);
  stop(w);
}

CAF_TEST(an event that fails after its consumer was deleted is tried again) {
  auto how = options("billing", {"orders"});
  how.backoff = {100ms};
  auto uut = open(how);
  std::atomic<bool> first{true};
  auto w = spawn_worker(sys, seen, "w",
                        [&](auto*, const event&) -> caf::result<void> {
                          if (!first.exchange(false))
                            return caf::unit;
                          raw({"XGROUP", "DELCONSUMER", "pulse:stream:orders",
                               "billing", consumer});
                          return caf::sec::runtime_error;
                        });
  consumer = must(uut.info()).consumer;
  must(uut.subscribe(w));
  add_numbers("orders", 1);
  CAF_CHECK(seen.wait_for_count(2));
  CAF_CHECK(drained("orders", "billing"));
  const auto xs = seen.all();
  CAF_CHECK_EQUAL(xs.back().what.counts().failures, 1u);
  stop(w);
}

CAF_TEST(a flushed server is filled and read again) {
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  for (int i = 1; i <= 3; ++i) {
    raw({"FLUSHALL"});
    add_numbers("orders", 10, 10 * i);
    CAF_REQUIRE(seen.wait_for_distinct(static_cast<size_t>(10 * i + 10)));
  }
  CAF_CHECK(must(uut.info()).groups_recovered >= 1u);
  stop(w);
}

// An actor that opens the sink cannot know itself what the group was.
CAF_TEST(a group that vanishes while its sink starts again repeats nothing) {
  const auto position = resp::position_key("orders", "billing");
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  const auto last = to_string(seen.all().back().what.id());
  CAF_REQUIRE(eventually([&] { return raw({"GET", position}) == last; }));
  caf::anon_send_exit(uut.handle().address(), caf::exit_reason::kill);
  CAF_CHECK_EQUAL(raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"}),
                  "1");
  add_numbers("orders", 1, 10);
  CAF_REQUIRE(seen.wait_for_distinct(11));
  CAF_CHECK_EQUAL(seen.size(), 11u);
  CAF_CHECK(eventually([&] { return must(uut.info()).groups_recovered == 1; }));
  stop(w);
}

CAF_TEST(a group that is deleted after its last sink has closed begins anew) {
  const auto position = resp::position_key("orders", "billing");
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_CHECK_EQUAL(raw({"EXISTS", position}), "1");
  must(uut.close());
  CAF_CHECK_EQUAL(raw({"EXISTS", position}), "0");
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  auto again = open(options("billing", {"orders"}));
  must(again.subscribe(w));
  CAF_CHECK(seen.wait_for_count(20));
  CAF_CHECK_EQUAL(must(again.info()).groups_recovered, 0u);
  stop(w);
}

CAF_TEST(a restarted server is used again without any help) {
  auto uut = open(options("billing", {"orders"}));
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  std::atomic<bool> more{true};
  std::vector<event_id> added;
  auto stream = must(ps.stream("orders"));
  std::thread producer{[&] {
    for (int i = 0; more; ++i)
      if (auto id = stream.add("n", std::to_string(i)))
        added.push_back(*id);
  }};
  CAF_CHECK(seen.wait_for_count(100));
  server.crash();
  std::this_thread::sleep_for(300ms);
  CAF_REQUIRE(server.restart());
  const auto back = recorder::clock::now();
  const auto before = seen.size();
  CAF_CHECK(seen.wait_for_count(before + 100));
  report("Redis back to the next hundred events", back, seen.all()[before].at);
  more = false;
  producer.join();
  std::map<event_id, int> got;
  CAF_CHECK(seen.wait([&](const auto& xs) {
    got.clear();
    for (auto& x : xs)
      ++got[x.what.id()];
    return std::all_of(added.begin(), added.end(),
                       [&](event_id id) { return got.count(id) > 0; });
  }));
  CAF_MESSAGE("added " << added.size() << " delivered " << seen.size());
  stop(w);
}

CAF_TEST(a full server still lets consumers drain it) {
  auto uut = open(options("billing", {"orders"}));
  add_numbers("orders", 100);
  raw({"CONFIG", "SET", "maxmemory", "1mb"});
  auto refused = must(ps.stream("orders")).add("n", "p");
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error() == errc::out_of_memory);
  auto w = spawn_worker(sys, seen);
  must(uut.subscribe(w));
  CAF_CHECK(seen.wait_for_count(100));
  CAF_CHECK(drained("orders", "billing"));
  stop(w);
}

CAF_TEST(events that Redis gave to a dead connection are found) {
  auto uut = open(options("billing", {"orders"}));
  auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  add_numbers("orders", 5);
  CAF_REQUIRE(seen.wait_for_count(5));
  const auto me = must(uut.info()).consumer;
  // Reads as a lost connection may have done, whose reply never arrived. The
  // sink reads as well, so this is repeated until this read gets the event.
  for (int i = 0; i < 1'000; ++i) {
    const auto taken
      = raw({"EVAL",
             "redis.call('XADD', KEYS[1], '*', 'n', 'x', 'p', 'stray') "
             "return redis.call('XREADGROUP', 'GROUP', 'billing', ARGV[1], "
             "'STREAMS', KEYS[1], '>')",
             "1", "pulse:stream:orders", me});
    if (taken != "nil")
      break;
  }
  CAF_CHECK(eventually([&] { return must(uut.info()).adopted >= 1; }));
  CAF_CHECK(drained("orders", "billing"));
  const auto last = seen.payloads().back();
  CAF_CHECK_EQUAL(last, "stray");
  stop(worker);
}

CAF_TEST(lost connections do not count as deliveries) {
  auto x = options("billing", {"orders"});
  x.backoff = {60s};
  auto uut = open(x);
  auto worker = spawn_worker(sys, seen, {},
                             [](auto*, const event&) { return refuse(); });
  must(uut.subscribe(worker));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  // The last five digits of the delivery counter are the deliveries.
  const auto deliveries = [&] {
    const auto text
      = raw({"XPENDING", "pulse:stream:orders", "billing", "-", "+", "1"});
    return std::stoll(text.substr(text.rfind(' ') + 1)) % 100'000;
  };
  auto orders = must(ps.stream("orders"));
  for (int i = 0; i < 3; ++i) {
    CAF_CHECK(eventually([&] {
      return raw({"CLIENT", "LIST"}).find("cmd=xreadgroup")
             != std::string::npos;
    }));
    raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    must(orders.add("n", "x"));
    CAF_CHECK(eventually([&] {
      return raw({"CLIENT", "LIST"}).find("cmd=xreadgroup")
             != std::string::npos;
    }));
  }
  CAF_CHECK(eventually([&] { return deliveries() == 1; }));
  stop(worker);
}

CAF_TEST_FIXTURE_SCOPE_END()
