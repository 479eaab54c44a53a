#define CAF_SUITE integration.pulse_losses

#include "support/sink_fixture.hpp"

#include <set>

#include <caf/test/unit_test.hpp>

// Ways in which goadesign/pulse, the Go original, loses events and hangs: those
// of the table in docs/compared-with-pulse.md that no other suite tests.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : sink_fixture {
  // A node that reads `n` events and then disappears.
  void read_and_die(const std::string& name, const std::string& stream, int n) {
    const auto key = raw_client::stream_key_of(stream);
    raw({"XGROUP", "CREATE", key, "billing", "0", "MKSTREAM"});
    raw({"XREADGROUP", "GROUP", "billing", name, "COUNT", std::to_string(n),
         "STREAMS", key, ">"});
  }

  // How many different events came.
  size_t distinct() {
    std::set<std::string> result;
    for (const auto& x : seen.all())
      result.insert(to_string(x.what.delivery().id)
                    + std::string{x.what.stream()});
    return result.size();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(pulse_losses_tests, fixture)

CAF_TEST(a node that starts long after all others died gets what they held) {
  add_numbers("orders", 400);
  for (int i = 0; i < 4; ++i)
    read_and_die("dead." + std::to_string(i), "orders", 100);
  CAF_REQUIRE_EQUAL(raw.pending("orders", "billing"), 400);
  auto x = options("billing", {"orders"});
  x.lease = 500ms;
  std::this_thread::sleep_for(4 * x.lease);
  auto uut = open(x);
  auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  CAF_CHECK(eventually([&] { return distinct() == 400; }));
  CAF_CHECK(drained("orders", "billing"));
  stop(worker);
}

CAF_TEST(a script cache that was flushed costs nothing) {
  auto uut = open(options("billing", {"orders"}));
  auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"XADD", "pulse:stream:other", "*", "n", "x", "p", "y"});
  for (int i = 0; i < 5; ++i) {
    raw({"SCRIPT", "FLUSH"});
    // The events that a node held when it died.
    raw({"EVAL",
         "redis.call('XADD', KEYS[1], '*', 'n', 'x', 'p', ARGV[1]) "
         "redis.call('XREADGROUP', 'GROUP', 'billing', 'dead', 'STREAMS', "
         "KEYS[1], '>')",
         "1", "pulse:stream:orders", "dead " + std::to_string(i)});
  }
  CAF_CHECK(eventually([&] { return distinct() == 15; }));
  CAF_CHECK(drained("orders", "billing"));
  stop(worker);
}

CAF_TEST(events that wait behind slow ones are not late) {
  auto x = options("billing", {"orders"});
  x.ack_wait = 1s;
  x.credit = 100;
  auto uut = open(x);
  // All of them together take several times as long as ack_wait.
  auto worker = spawn_worker(sys, seen, {}, [](auto*, const event&) {
    std::this_thread::sleep_for(20ms);
    return ok();
  });
  must(uut.subscribe(worker));
  add_numbers("orders", 150);
  CAF_CHECK(seen.wait_for_count(150));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 150u);
  CAF_CHECK_EQUAL(must(uut.info()).timeouts, 0u);
  stop(worker);
}

CAF_TEST(a sink on two streams takes over what dead nodes held of both) {
  for (const auto* stream : {"orders", "refunds"}) {
    add_numbers(stream, 4);
    read_and_die("dead.1", stream, 4);
  }
  auto uut = open(options("billing", {"orders", "refunds"}));
  auto worker = spawn_worker(sys, seen);
  must(uut.subscribe(worker));
  CAF_CHECK(eventually([&] { return distinct() == 8; }));
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK(drained("refunds", "billing"));
  stop(worker);
}

CAF_TEST_FIXTURE_SCOPE_END()
