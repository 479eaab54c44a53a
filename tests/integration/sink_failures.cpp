#define CAF_SUITE integration.sink_failures

#include "pulse/core/names.hpp"

#include "support/sink_fixture.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Events that fail wait in Redis for their next attempt, and workers that
// cannot work keep no events.

namespace {

struct fixture : sink_fixture {
  node other{server.url()};

  pulse::sink open_there(sink_options x) {
    return must(other.pulse->sink(std::move(x)));
  }

  // How many events wait at the consumer "delayed".
  int64_t delayed(const std::string& stream, const std::string& sink) {
    const auto all = raw.resp(
      {"XPENDING", stream_key(stream), sink, "-", "+", "100000", "delayed"});
    return std::atoll(all.c_str() + 1);
  }

  // Fails at every event whose payload is a multiple of `n`.
  static reaction fail_each(int n) {
    return [n](caf::event_based_actor*, const event& x) {
      return std::stoi(std::string{x.payload()}) % n == 0 ? refuse() : ok();
    };
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_failures_tests, fixture)

CAF_TEST(failing events do not stop the others) {
  constexpr int total = 10'000;
  auto opts = options("billing", {"orders"});
  opts.max_in_flight = 50;
  opts.backoff = {1h};
  add_numbers("orders", total);
  auto uut = open(opts);
  auto w = spawn_worker(sys, seen, "w", fail_each(20));
  must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_distinct(total, 60s));
  CAF_CHECK(eventually([&] { return must(uut.info()).held == 0; }));
  CAF_CHECK_EQUAL(must(uut.info()).waiting, 500u);
  CAF_CHECK_EQUAL(seen.size(), static_cast<size_t>(total));
  CAF_CHECK_EQUAL(delayed("orders", "billing"), 500);
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 500);
  stop(w);
}

CAF_TEST(failing events of some topics do not stop the others) {
  constexpr int total = 5'000;
  constexpr int topics = 500;
  auto opts = options("billing", {"orders"});
  opts.dispatch = dispatch_mode::keyed;
  opts.max_in_flight = 50;
  opts.backoff = {500ms};
  opts.max_deliveries = 0;
  std::vector<new_event> batch;
  for (int n = 0; n < total; ++n)
    batch.push_back({"n", std::to_string(n), std::to_string(n % topics)});
  for (auto& x : must(must(ps.stream("orders")).add(std::move(batch))))
    CAF_REQUIRE(x.code == errc::none);
  auto uut = open(opts);
  std::atomic<bool> fails{true};
  auto w = spawn_worker(sys, seen, "w",
                        [&](caf::event_based_actor*, const event& x) {
                          const auto n = std::stoi(std::string{x.topic()});
                          return fails && n % 12 == 0 ? refuse() : ok();
                        });
  must(uut.subscribe(w));
  // 42 topics fail at their first event, and have 10 events each.
  constexpr int failing = 42 * 10;
  CAF_REQUIRE(seen.wait_for_distinct(total - failing + 42, 60s));
  CAF_CHECK(
    eventually([&] { return raw.pending("orders", "billing") == failing; }));
  CAF_CHECK(eventually([&] { return must(uut.info()).held == failing; }));
  CAF_CHECK_EQUAL(seen.distinct(), size_t{total - failing + 42});
  fails = false;
  CAF_REQUIRE(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.distinct(), static_cast<size_t>(total));
  std::map<std::string, int> last;
  for (const auto& x : seen.all()) {
    const auto n = std::stoi(std::string{x.what.payload()});
    auto& before = last[std::string{x.what.topic()}];
    CAF_CHECK(n >= before);
    before = n;
  }
  stop(w);
}

CAF_TEST(failing events do not stop others that all subscribers get) {
  constexpr int total = 2'000;
  auto opts = options("billing", {"orders"});
  opts.dispatch = dispatch_mode::broadcast;
  opts.max_in_flight = 20;
  opts.backoff = {500ms};
  opts.max_deliveries = 0;
  add_numbers("orders", total);
  auto uut = open(opts);
  std::atomic<bool> fails{true};
  const reaction sometimes = [&](caf::event_based_actor*, const event& x) {
    const auto n = std::stoi(std::string{x.payload()});
    return fails && n % 20 == 0 ? refuse() : ok();
  };
  auto a = spawn_worker(sys, seen, "a", sometimes);
  auto b = spawn_worker(sys, seen, "b");
  must(uut.subscribe(a));
  must(uut.subscribe(b));
  CAF_REQUIRE(seen.wait_for_distinct(total, 60s));
  CAF_CHECK(
    eventually([&] { return raw.pending("orders", "billing") == 100; }));
  fails = false;
  CAF_REQUIRE(drained("orders", "billing"));
  size_t of_b = 0;
  for (const auto& x : seen.all())
    of_b += x.by == "b" ? 1 : 0;
  CAF_CHECK_EQUAL(of_b, static_cast<size_t>(total)); // each one once
  stop(a);
  stop(b);
}

CAF_TEST(a member with a short lease respects the lease of another one) {
  auto opts = options("billing", {"orders"});
  opts.lease = 6s; // renewed every two seconds
  opts.ack_wait = 60s;
  auto patient = open(opts);
  auto slow = spawn_worker(sys, seen, "slow", keep_unanswered);
  must(patient.subscribe(slow));
  add_numbers("orders", 8);
  CAF_REQUIRE(seen.wait_for_count(8));
  opts.lease = 500ms;
  auto hasty = open_there(opts);
  auto quick = spawn_worker(*other.sys, seen, "quick");
  must(hasty.subscribe(quick));
  std::this_thread::sleep_for(3s); // six of its leases
  CAF_CHECK_EQUAL(seen.size(), 8u);
  CAF_CHECK_EQUAL(must(hasty.info()).taken_over, 0u);
  CAF_CHECK_EQUAL(must(patient.info()).lost_leases, 0u);
  stop(slow); // now its events are free
  must(patient.unsubscribe(slow));
  CAF_CHECK(drained("orders", "billing"));
  stop(quick);
}

CAF_TEST(a failed event goes to another node when it is due) {
  auto here_sink = open(options("billing", {"orders"}));
  auto bad = spawn_worker(sys, seen, "bad", fail_each(1));
  must(here_sink.subscribe(bad));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  auto there_sink = open_there(options("billing", {"orders"}));
  auto good = spawn_worker(*other.sys, seen, "good");
  must(there_sink.subscribe(good));
  must(here_sink.unsubscribe(bad));
  CAF_REQUIRE(drained("orders", "billing"));
  const auto last = seen.all().back();
  CAF_CHECK_EQUAL(last.by, "good");
  CAF_CHECK_EQUAL(last.what.counts().crashes, 0u);
  CAF_CHECK_EQUAL(last.what.counts().failures, seen.size() - 1);
  stop(bad);
  stop(good);
}

CAF_TEST(events that wait are not blamed for the death of their sink) {
  auto opts = options("billing", {"orders"});
  opts.backoff = {3s};
  auto dying = std::make_unique<node>(server.url());
  auto there_sink = must(dying->pulse->sink(opts));
  auto bad = spawn_worker(*dying->sys, seen, "bad", fail_each(1));
  must(there_sink.subscribe(bad));
  add_numbers("orders", 5);
  CAF_REQUIRE(seen.wait_for_count(5));
  CAF_REQUIRE(eventually([&] { return delayed("orders", "billing") == 5; }));
  caf::anon_send_exit(there_sink.handle(), caf::exit_reason::kill);
  stop(bad); // or it works for the next sink of its node
  auto uut = open(opts);
  auto good = spawn_worker(sys, seen, "good");
  must(uut.subscribe(good));
  CAF_REQUIRE(drained("orders", "billing"));
  for (const auto& x : seen.all())
    CAF_CHECK_EQUAL(x.what.counts().crashes, 0u);
  stop(good);
}

CAF_TEST(events that wait survive the loss of their sorted set) {
  auto opts = options("billing", {"orders"});
  opts.backoff = {1h};
  auto uut = open(opts);
  std::atomic<bool> fails{true};
  auto w = spawn_worker(sys, seen, "w",
                        [&](caf::event_based_actor*, const event&) {
                          return fails ? refuse() : ok();
                        });
  must(uut.subscribe(w));
  add_numbers("orders", 3);
  CAF_REQUIRE(eventually([&] { return delayed("orders", "billing") == 3; }));
  fails = false;
  raw({"DEL", "{pulse:stream:orders}:delayed:billing"});
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.size(), 6u);
  must(uut.close());
}

CAF_TEST(what a node without workers holds goes to another one at once) {
  auto opts = options("billing", {"orders"});
  opts.lease = 1h; // nobody is considered dead
  auto here_sink = open(opts);
  auto w = spawn_worker(sys, seen, "w", keep_unanswered);
  must(here_sink.subscribe(w, {5}));
  add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(5));
  auto there_sink = open_there(opts);
  auto good = spawn_worker(*other.sys, seen, "good");
  must(there_sink.subscribe(good));
  stop(w);
  CAF_CHECK(drained("orders", "billing"));
  CAF_CHECK_EQUAL(seen.distinct(), 10u);
  for (const auto& x : seen.all())
    CAF_CHECK_EQUAL(x.what.counts().crashes + x.what.counts().failures, 0u);
  stop(good);
}

CAF_TEST(a backlog does not keep events of other nodes waiting) {
  auto opts = options("billing", {"orders"});
  opts.max_in_flight = 20;
  opts.credit = 1;
  auto here_sink = open(opts);
  auto idle = spawn_worker(sys, seen, "idle", keep_unanswered);
  must(here_sink.subscribe(idle));
  add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  add_numbers("orders", 2'000, 1);
  auto slow = [](caf::event_based_actor*, const event&) {
    std::this_thread::sleep_for(2ms);
    return ok();
  };
  auto there_sink = open_there(opts);
  auto busy = spawn_worker(*other.sys, seen, "busy", slow);
  must(there_sink.subscribe(busy));
  CAF_REQUIRE(seen.wait_for_count(20));
  stop(idle); // it leaves event 0
  auto is_zero_again = [](const std::vector<recorder::record>& xs) {
    return std::count_if(xs.begin(), xs.end(),
                         [](const auto& x) { return x.what.payload() == "0"; })
           == 2;
  };
  CAF_REQUIRE(seen.wait(is_zero_again));
  CAF_CHECK(raw.pending("orders", "billing") > 0
            || must(must(ps.stream("orders")).info()).groups[0].lag > 0);
  stop(busy);
}

CAF_TEST_FIXTURE_SCOPE_END()
