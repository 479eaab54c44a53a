#define CAF_SUITE core.delivery.fetch_window

#include "pulse/core/delivery/fetch_window.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::literals;

namespace {

const fetch_window::time_point t0{1h};

} // namespace

CAF_TEST(slow subscribers get twice what they can hold) {
  fetch_window uut{1000};
  CAF_CHECK_EQUAL(uut.size(8), 16u);
  CAF_CHECK_EQUAL(uut.size(0), 0u);
  uut.settled(3, t0);
  uut.settled(3, t0 + 20ms);
  CAF_CHECK_EQUAL(uut.size(8), 16u);
}

CAF_TEST(fast ones get what they did in the last period) {
  fetch_window uut{1000};
  uut.settled(0, t0);
  uut.settled(200, t0 + 5ms);
  uut.settled(300, t0 + 20ms);
  CAF_CHECK_EQUAL(uut.size(8), 500u);
  uut.settled(10, t0 + 40ms);
  CAF_CHECK_EQUAL(uut.size(8), 16u);
}

CAF_TEST(the limit holds whatever happens) {
  fetch_window uut{100};
  uut.settled(0, t0);
  uut.settled(5000, t0 + 20ms);
  CAF_CHECK_EQUAL(uut.size(8), 100u);
  CAF_CHECK_EQUAL(uut.size(400), 100u);
}

CAF_TEST(after a pause nothing is fast any more) {
  fetch_window uut{1000};
  uut.settled(0, t0);
  uut.settled(500, t0 + 20ms);
  uut.settled(500, t0 + 10s);
  CAF_CHECK_EQUAL(uut.size(8), 16u);
}
