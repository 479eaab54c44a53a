#define CAF_SUITE core.backoff

#include "pulse/core/backoff.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

namespace {

using std::chrono::milliseconds;

struct fixture {
  random_engine random{42};

  static bool near(milliseconds x, milliseconds base) {
    return x >= base * 3 / 4 && x <= base * 5 / 4;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(backoff_tests, fixture)

CAF_TEST(jitter stays within its share and uses all of it) {
  auto lowest = milliseconds::max();
  auto highest = milliseconds::min();
  for (int i = 0; i < 1000; ++i) {
    const auto x = jittered(1000ms, 0.1, random);
    lowest = std::min(lowest, x);
    highest = std::max(highest, x);
  }
  CAF_CHECK(lowest >= 900ms);
  CAF_CHECK(lowest < 920ms);
  CAF_CHECK(highest <= 1100ms);
  CAF_CHECK(highest > 1080ms);
}

CAF_TEST(no share means no jitter and nothing stays nothing) {
  CAF_CHECK(jittered(1000ms, 0.0, random) == 1000ms);
  CAF_CHECK(jittered(0ms, 0.5, random) == 0ms);
}

CAF_TEST(pauses between attempts double from the first to the last) {
  reconnect_backoff uut{100ms, 5s};
  for (auto base : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms})
    CAF_CHECK(near(uut.next(random), base));
}

CAF_TEST(after a success the first pause is back) {
  reconnect_backoff uut{100ms, 5s};
  for (int i = 0; i < 10; ++i)
    uut.next(random);
  uut.reset();
  CAF_CHECK(near(uut.next(random), 100ms));
  CAF_CHECK(near(uut.next(random), 200ms));
}

CAF_TEST(equal first and last pauses never grow) {
  reconnect_backoff uut{300ms, 300ms};
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(near(uut.next(random), 300ms));
}

CAF_TEST(the pauses of two clients differ) {
  reconnect_backoff uut{1s, 1s};
  std::set<milliseconds> seen;
  for (int i = 0; i < 10; ++i)
    seen.insert(uut.next(random));
  CAF_CHECK(seen.size() > 5u);
}

CAF_TEST(redelivery takes the entry of the attempt and repeats the last) {
  const std::vector<milliseconds> list{1s, 5s, 30s};
  CAF_CHECK(near(redelivery_delay(list, 1, random), 1s));
  CAF_CHECK(near(redelivery_delay(list, 2, random), 5s));
  CAF_CHECK(near(redelivery_delay(list, 3, random), 30s));
  CAF_CHECK(near(redelivery_delay(list, 4, random), 30s));
  const auto highest = std::numeric_limits<uint32_t>::max();
  CAF_CHECK(near(redelivery_delay(list, highest, random), 30s));
}

CAF_TEST(redelivery without a list is immediate) {
  CAF_CHECK(redelivery_delay({}, 1, random) == 0ms);
  CAF_CHECK(redelivery_delay({}, 7, random) == 0ms);
}

CAF_TEST_FIXTURE_SCOPE_END()
