#define CAF_SUITE core.poll_window

#include "pulse/core/poll_window.hpp"

#include <caf/test/unit_test.hpp>

using pulse::poll_window;
using namespace std::chrono_literals;

namespace {

struct fixture {
  poll_window uut{100us};
  poll_window::time_point now;

  // Work that takes 5 µs comes after `gap`, `n` times.
  void work_after(std::chrono::microseconds gap, int n = 1) {
    for (int i = 0; i < n; ++i) {
      now += gap;
      uut.came(now);
      now += 5us;
      uut.done(now);
    }
  }

  // How long it looks for work from now on.
  std::chrono::microseconds window() const {
    auto result = 0us;
    while (uut.looks(now + result))
      ++result;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(poll_window_tests, fixture)

CAF_TEST(it does not look before work came in short intervals) {
  CAF_CHECK_EQUAL(window(), 0us);
  work_after(20ms, 100);
  CAF_CHECK_EQUAL(window(), 0us);
}

CAF_TEST(it looks longer and longer while work comes soon) {
  work_after(20ms);
  work_after(30us);
  CAF_CHECK_EQUAL(window(), 10us);
  work_after(30us);
  CAF_CHECK_EQUAL(window(), 20us);
  work_after(30us, 3);
  CAF_CHECK_EQUAL(window(), 100us);
  work_after(100us, 100);
  CAF_CHECK_EQUAL(window(), 100us);
}

CAF_TEST(it stops to look when work comes later) {
  work_after(20us, 10);
  work_after(101us);
  CAF_CHECK_EQUAL(window(), 25us);
  work_after(101us);
  CAF_CHECK_EQUAL(window(), 0us);
}

CAF_TEST(work that alternates between soon and late is hardly looked for) {
  work_after(20us, 10);
  for (int i = 0; i < 10; ++i) {
    work_after(40us);
    CAF_CHECK(i == 0 || window() <= 50us);
    work_after(1ms);
  }
  work_after(40us);
  CAF_CHECK_EQUAL(window(), 10us);
}

CAF_TEST(without a maximum it never looks) {
  uut = poll_window{0us};
  work_after(1us, 100);
  CAF_CHECK_EQUAL(window(), 0us);
  uut = poll_window{9us};
  work_after(1us, 100);
  CAF_CHECK_EQUAL(window(), 0us);
}

CAF_TEST_FIXTURE_SCOPE_END()
