#define CAF_SUITE integration.many_readers

#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"

#include <algorithm>
#include <list>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

constexpr size_t reader_count = 100;
constexpr int old_events = 500;
constexpr int new_events = 500;

struct fixture : redis_fixture {
  struct one {
    recorder seen;
    caf::actor worker;
    std::optional<reader> handle;
  };

  ~fixture() {
    for (auto& x : all)
      stop(x.worker);
  }

  one& open(start_position start, reaction react = {}) {
    auto& x = all.emplace_back();
    reader_options options;
    options.streams = {"numbers"};
    options.start = start;
    options.buffer = 50;
    options.max_batch = 20;
    x.worker = spawn_worker(sys, x.seen, {}, std::move(react));
    x.handle = must(ps.reader(options));
    must(x.handle->subscribe(x.worker));
    return x;
  }

  size_t connections() {
    const auto list = raw({"CLIENT", "LIST"});
    return static_cast<size_t>(std::count(list.begin(), list.end(), '\n'));
  }

  // Checks that a reader got the numbers up to the last one, each once.
  static void check(one& x, int first) {
    const auto last = old_events + new_events;
    const auto count = static_cast<size_t>(last - first);
    CAF_CHECK(x.seen.wait_for_count(count, 60s));
    const auto got = x.seen.payloads();
    CAF_REQUIRE_EQUAL(got.size(), count);
    for (size_t i = 0; i < count; ++i)
      if (got[i] != std::to_string(first + static_cast<int>(i)))
        CAF_FAIL("got " << got[i] << " as number " << i);
  }

  std::list<one> all;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(many_readers_tests, fixture)

CAF_TEST(many readers share a connection and each gets every event once) {
  add_numbers("numbers", old_events);
  const auto before = connections();
  std::vector<one*> oldest;
  std::vector<one*> newest;
  for (size_t i = 0; i < reader_count; ++i)
    if (i % 2 == 0)
      oldest.push_back(&open(start_position::oldest()));
    else
      newest.push_back(&open(start_position::newest()));
  auto& slow = open(start_position::oldest(),
                    [](auto*, const event&) -> caf::result<void> {
                      std::this_thread::sleep_for(1ms);
                      return caf::unit;
                    });
  CAF_CHECK(read_is_blocked());
  CAF_CHECK_EQUAL(connections(), before + 1);
  for (int i = 0; i < new_events; i += 10)
    add_numbers("numbers", 10, old_events + i);
  for (auto* x : oldest)
    check(*x, 0);
  for (auto* x : newest)
    check(*x, old_events);
  check(slow, 0);
  CAF_CHECK_EQUAL(connections(), before + 1);
  for (auto& x : all)
    must(x.handle->close());
  CAF_CHECK(eventually([&] { return connections() == before; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
