#define CAF_SUITE core.delivery.stall_watch

#include "pulse/core/delivery/stall_watch.hpp"

#include <optional>

#include <caf/test/unit_test.hpp>

using pulse::delivery_time;
using pulse::milliseconds;
using pulse::stall_watch;
using namespace std::chrono_literals;

namespace {

struct fixture {
  stall_watch uut;
  delivery_time due;

  // A tick that is `late`.
  stall_watch::stall tick(milliseconds late,
                          std::optional<milliseconds> waited = 0ms) {
    due += 1s;
    return uut.on_tick(due, due + late, waited);
  }

  bool reports() {
    return uut.take_report(due).has_value();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stall_watch_tests, fixture)

CAF_TEST(a tick that is a little late is no stall) {
  const auto x = tick(20ms);
  CAF_CHECK_EQUAL(x.late, 0ms);
  CAF_CHECK_EQUAL(x.stood_still, 0ms);
  CAF_CHECK_EQUAL(uut.total(), 0ms);
}

CAF_TEST(a late tick is a stall of the whole node) {
  const auto x = tick(300ms);
  CAF_CHECK_EQUAL(x.late, 300ms);
  CAF_CHECK_EQUAL(x.stood_still, 300ms);
  CAF_CHECK_EQUAL(uut.total(), 300ms);
}

CAF_TEST(workers that wait for threads stand still although ticks are in time) {
  tick(0ms);
  CAF_CHECK_EQUAL(tick(0ms, 40ms).stood_still, 40ms);
  const auto x = tick(0ms, 60ms);
  CAF_CHECK_EQUAL(x.late, 0ms);
  CAF_CHECK_EQUAL(x.stood_still, 20ms);
  CAF_CHECK_EQUAL(tick(0ms, 60ms).stood_still, 0ms);
  CAF_CHECK_EQUAL(uut.total(), 60ms);
}

CAF_TEST(a stop of the process does not count twice) {
  tick(0ms);
  const auto x = tick(10s, 10s);
  CAF_CHECK_EQUAL(x.late, 10s);
  CAF_CHECK_EQUAL(x.stood_still, 10s);
  // Another tick was under way.
  const auto y = uut.on_tick(due + 480ms, due + 10s, 10s);
  CAF_CHECK_EQUAL(y.late, 0ms);
  CAF_CHECK_EQUAL(y.stood_still, 0ms);
  CAF_CHECK_EQUAL(uut.total(), 10s);
}

CAF_TEST(a wait does not count while no worker has work) {
  tick(0ms, 0ms);
  tick(0ms, std::nullopt);
  CAF_CHECK_EQUAL(tick(0ms, 600s).stood_still, 0ms);
  CAF_CHECK_EQUAL(tick(0ms, 601s).stood_still, 1s);
}

CAF_TEST(a long stall is reported and the next one not before a minute) {
  tick(999ms);
  CAF_CHECK(!reports());
  tick(0ms);
  tick(1'000ms);
  CAF_CHECK_EQUAL(uut.take_report(due).value_or(0ms), 1'000ms);
  tick(0ms);
  tick(2'000ms);
  CAF_CHECK(!reports());
  for (int i = 0; i < 60; ++i)
    tick(0ms);
  CAF_CHECK_EQUAL(uut.take_report(due).value_or(0ms), 2'000ms);
}

CAF_TEST(a stall that several ticks find is reported as a whole) {
  tick(0ms);
  for (auto waited = 40ms; waited < 1'000ms; waited += 20ms) {
    tick(0ms, waited);
    CAF_CHECK(!reports());
  }
  tick(0ms, 1'000ms);
  CAF_CHECK_EQUAL(uut.take_report(due).value_or(0ms), 1'000ms);
}

CAF_TEST_FIXTURE_SCOPE_END()
