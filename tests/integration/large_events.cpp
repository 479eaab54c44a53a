#define CAF_SUITE integration.large_events

#include "support/fault_link.hpp"
#include "support/sink_fixture.hpp"
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include <caf/test/unit_test.hpp>

// Sinks that read events of several MiB: how much memory they need, and whether
// slow links cause failures and redeliveries.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

constexpr size_t mib = 1u << 20;

// AddressSanitizer keeps memory that was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_memory_exact = false;
#else
constexpr bool is_memory_exact = true;
#endif

// The memory of this process in bytes.
size_t resident() {
  std::ifstream from{"/proc/self/statm"};
  size_t all = 0;
  size_t used = 0;
  from >> all >> used;
  return used * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

struct fixture : sink_fixture {
  static stream_options files() {
    stream_options result;
    result.name = "files";
    result.max_payload = 64 * mib;
    result.max_queued_bytes = 64 * mib;
    return result;
  }

  void add_large(size_t n, size_t size) {
    for (size_t i = 0; i < n; ++i)
      must(stream.add("file", std::string(size, 'x')));
  }

  static sink_options large() {
    auto result = options("copy", {"files"});
    result.lease = 2s;
    result.max_in_flight_bytes = 32 * mib;
    return result;
  }

  // A worker that notes which delivery of which event it got, and keeps none.
  caf::actor spawn_noting(caf::actor_system& where, std::string name,
                          std::chrono::milliseconds pause = 0ms) {
    return where.spawn([this, name, pause](caf::event_based_actor*) {
      return caf::behavior{[this, name, pause](const event& x) {
        {
          std::unique_lock guard{mutex};
          deliveries.push_back({x.id(), x.counts().deliveries, name});
        }
        std::this_thread::sleep_for(pause);
      }};
    });
  }

  size_t delivered() {
    std::unique_lock guard{mutex};
    return deliveries.size();
  }

  // Checks that each of `n` events was delivered once, and the first time.
  void check_once(size_t n) {
    CAF_CHECK(drained("files", "copy"));
    std::unique_lock guard{mutex};
    std::set<event_id> ids;
    for (const auto& x : deliveries) {
      ids.insert(x.id);
      CAF_CHECK_EQUAL(x.attempt, 1u);
    }
    CAF_CHECK_EQUAL(ids.size(), n);
    CAF_CHECK_EQUAL(deliveries.size(), n);
  }

  struct delivery {
    event_id id;
    uint32_t attempt;
    std::string by;
  };

  pulse::stream stream = must(ps.stream(files()));
  std::mutex mutex;
  std::vector<delivery> deliveries;
};

template <class F>
bool within(std::chrono::seconds limit, F done) {
  const auto end = recorder::clock::now() + limit;
  while (!done() && recorder::clock::now() < end)
    std::this_thread::sleep_for(5ms);
  return done();
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(large_events_tests, fixture)

CAF_TEST(a sink holds a part of many large events at a time) {
  constexpr size_t n = 60;
  add_large(n, 4 * mib);
  auto opts = large();
  opts.credit = 100;
  const auto before = resident();
  auto uut = open(opts);
  auto worker = spawn_noting(sys, "only", 20ms);
  must(uut.subscribe(worker));
  size_t most_held = 0;
  size_t most_memory = before;
  CAF_CHECK(within(60s, [&] {
    most_held = std::max<size_t>(most_held, must(uut.info()).held);
    most_memory = std::max(most_memory, resident());
    return delivered() == n;
  }));
  check_once(n);
  CAF_CHECK_LESS_OR_EQUAL(most_held * 4, 32u);
  const auto ratio = static_cast<double>(most_memory - before)
                     / static_cast<double>(n * 4 * mib);
  CAF_MESSAGE("held " << most_held << " of " << n << ", memory grew by "
                      << ratio << " of their size");
  if (is_memory_exact)
    CAF_CHECK_LESS(ratio, 0.4);
  stop(worker);
}

CAF_TEST(an event that is greater than the bound is delivered) {
  add_large(3, 4 * mib);
  auto opts = large();
  opts.max_in_flight_bytes = mib;
  auto uut = open(opts);
  auto worker = spawn_noting(sys, "only");
  must(uut.subscribe(worker));
  CAF_CHECK(within(30s, [&] { return delivered() == 3; }));
  check_once(3);
  stop(worker);
}

CAF_TEST(a sink takes a part of the large events of a dead node at a time) {
  constexpr size_t n = 20;
  add_large(n, 4 * mib);
  raw({"XGROUP", "CREATE", "pulse:stream:files", "copy", "0"});
  raw({"XREADGROUP", "GROUP", "copy", "dead.1.x", "COUNT", std::to_string(n),
       "STREAMS", "pulse:stream:files", ">"});
  auto opts = large();
  opts.credit = 100;
  auto uut = open(opts);
  auto worker = spawn_noting(sys, "only", 20ms);
  must(uut.subscribe(worker));
  size_t most_held = 0;
  CAF_CHECK(within(60s, [&] {
    most_held = std::max<size_t>(most_held, must(uut.info()).held);
    return delivered() == n;
  }));
  CAF_CHECK(drained("files", "copy"));
  CAF_CHECK_EQUAL(delivered(), n);
  CAF_CHECK_LESS_OR_EQUAL(most_held * 4, 32u);
  stop(worker);
}

CAF_TEST(large events over a slow link are delivered once) {
  constexpr size_t n = 15;
  add_large(n, 2 * mib);
  fault_link link{server};
  node far{link.url()};
  link.slow_down(5 * mib);
  auto opts = large();
  opts.credit = 100;
  auto uut = must(far.pulse->sink(opts));
  auto worker = spawn_noting(*far.sys, "far");
  must(uut.subscribe(worker));
  CAF_CHECK(within(60s, [&] { return delivered() == n; }));
  check_once(n);
  CAF_CHECK_EQUAL(must(uut.info()).read_failures, 0u);
  stop(worker);
}

CAF_TEST(a large add over a slow link is not given up while it is sent) {
  fault_link link{server};
  node far{link.url()};
  auto uut = must(far.pulse->stream(files()));
  link.slow_down_commands(2 * mib);
  const int before = link.links();
  must(uut.add("file", std::string(16 * mib, 'x'))); // 8 s
  CAF_CHECK_EQUAL(link.links(), before);
  CAF_CHECK_EQUAL(must(uut.info()).length, 1u);
}

CAF_TEST(no other node takes an event that is arriving) {
  add_large(1, 16 * mib);
  fault_link link{server};
  node far{link.url()};
  link.slow_down(4 * mib); // 4 s, which is two leases
  auto slow = must(far.pulse->sink(large()));
  auto worker = spawn_noting(*far.sys, "far");
  must(slow.subscribe(worker));
  CAF_REQUIRE(eventually([&] { return raw.pending("files", "copy") == 1; }));
  auto fast = open(large());
  auto other = spawn_noting(sys, "near");
  must(fast.subscribe(other));
  add_large(3, mib);
  CAF_CHECK(within(60s, [&] { return delivered() >= 4; }));
  check_once(4);
  CAF_CHECK_EQUAL(std::count_if(deliveries.begin(), deliveries.end(),
                                [](const auto& x) { return x.by == "far"; }),
                  1);
  CAF_CHECK_EQUAL(must(slow.info()).read_failures, 0u);
  stop(worker);
  stop(other);
}

CAF_TEST(members of a keyed sink share large events over slow links) {
  constexpr size_t n = 4;
  constexpr size_t size = 8 * mib;
  const std::string members = "{pulse:stream:files}:members:copy";
  fault_link link{server};
  node one{link.url()};
  node two{link.url()};
  auto opts = large();
  opts.dispatch = dispatch_mode::keyed;
  opts.lease = 4s;
  auto left = must(one.pulse->sink(opts));
  auto right = must(two.pulse->sink(opts));
  auto first = spawn_noting(*one.sys, "one");
  auto second = spawn_noting(*two.sys, "two");
  must(left.subscribe(first));
  must(right.subscribe(second));
  const auto has = [&](const std::string& field) {
    return raw.number({"HEXISTS", members, field}) == 1;
  };
  const auto is_member = [&](pulse::sink& x) {
    return has("m:" + must(x.info()).consumer);
  };
  CAF_REQUIRE(eventually(
    [&] { return is_member(left) && is_member(right) && !has("sole"); }));
  link.slow_down(2 * mib); // each event takes a lease
  for (size_t i = 0; i < n; ++i)
    must(
      stream.add("file", std::string(size, 'x'), "topic" + std::to_string(i)));
  CAF_CHECK(within(120s, [&] { return delivered() == n; }));
  check_once(n);
  CAF_CHECK_EQUAL(must(left.info()).lost_leases, 0u);
  CAF_CHECK_EQUAL(must(right.info()).lost_leases, 0u);
  stop(first);
  stop(second);
}

CAF_TEST(events whose reply was lost count no delivery) {
  constexpr size_t n = 6;
  fault_link link{server};
  node far{link.url()};
  auto uut = must(far.pulse->sink(large()));
  auto worker = spawn_noting(*far.sys, "far");
  must(uut.subscribe(worker));
  CAF_REQUIRE(read_is_blocked());
  link.reset_after(1'000);
  add_large(n, 2 * mib);
  CAF_CHECK(within(60s, [&] { return delivered() == n; }));
  check_once(n);
  stop(worker);
}

CAF_TEST_FIXTURE_SCOPE_END()
