#define CAF_SUITE integration.busy_threads

#include "support/sink_fixture.hpp"

#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Handlers that block keep the threads of CAF's scheduler, so that other
// workers wait for a thread. The time that a worker waits for a thread is no
// fault of the worker.

namespace {

reaction block_for(milliseconds time) {
  return [time](caf::event_based_actor*, const event&) {
    std::this_thread::sleep_for(time);
    return ok();
  };
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(busy_threads_tests, sink_fixture)

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

CAF_TEST_FIXTURE_SCOPE_END()
