#define CAF_SUITE integration.busy_threads

#include "support/gate.hpp"
#include "support/sink_fixture.hpp"

#include <memory>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Code of users that blocks keeps the threads of CAF's scheduler, so that other
// workers wait for a thread. The time that a worker waits for a thread is no
// fault of the worker. Adds need no such thread.

namespace {

reaction block_for(milliseconds time) {
  return [time](caf::event_based_actor*, const event&) {
    std::this_thread::sleep_for(time);
    return ok();
  };
}

struct fixture : sink_fixture {
  std::shared_ptr<gate> held = std::make_shared<gate>();

  event_predicate blocks_once() {
    return [x = held](const event& y) {
      if (y.payload() == "blocks")
        x->wait();
      return true;
    };
  }

  // Adds an event that blocks, and one more while it does so.
  void check_adds(pulse::stream& to) {
    must(to.add("order", "blocks"));
    CAF_REQUIRE(eventually([this] { return held->waiting() == 1; }));
    CAF_CHECK(to.add("order", "1"));
    held->open();
    CAF_CHECK(seen.wait_for_count(2));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(busy_threads_tests, fixture)

CAF_TEST(an event that waits for a thread is not delivered twice) {
  constexpr int total = 400;
  auto opts = options("billing", {"orders"});
  opts.lease = 15s;
  opts.ack_wait = 600ms; // of 20 ms that a handler needs
  opts.credit = 16;
  auto uut = open(opts);
  std::vector<caf::actor> workers; // for two threads
  for (int i = 0; i < 8; ++i) {
    workers.push_back(spawn_worker(sys, seen, {}, block_for(20ms)));
    must(uut.subscribe(workers.back()));
  }
  add_numbers("orders", total);
  CAF_REQUIRE(seen.wait_for_distinct(total, 120s));
  CAF_REQUIRE(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), static_cast<size_t>(total));
  const auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.timeouts, 0u);
  for (const auto& x : workers)
    stop(x);
}

CAF_TEST(blocked threads do not delay an add) {
  auto orders = must(ps.stream("orders"));
  for (int i = 0; i < 2; ++i)
    sys.spawn([x = held] { x->wait(); });
  CAF_REQUIRE(eventually([&] { return held->waiting() == 2; }));
  CAF_CHECK(orders.add("order", "1"));
  held->open();
}

// Such predicates would stop all input and output if their actors ran beside
// the connections.

CAF_TEST(a predicate of a sink that blocks does not delay an add) {
  auto orders = must(ps.stream("orders"));
  auto x = options("billing", {"orders"});
  x.filter.predicate = blocks_once();
  auto uut = open(x);
  const auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  check_adds(orders);
  stop(worker);
}

CAF_TEST(a predicate of a reader that blocks does not delay an add) {
  auto orders = must(ps.stream("orders"));
  reader_options x;
  x.streams = {"orders"};
  x.start = start_position::oldest();
  x.filter.predicate = blocks_once();
  auto uut = must(ps.reader(x));
  const auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  check_adds(orders);
  stop(worker);
}

CAF_TEST_FIXTURE_SCOPE_END()
