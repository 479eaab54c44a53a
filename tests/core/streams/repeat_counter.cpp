#define CAF_SUITE core.streams.repeat_counter

#include "pulse/core/streams/repeat_counter.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

CAF_TEST(repetitions are reported at once and then once per minute) {
  repeat_counter uut;
  const repeat_counter::time_point begin;
  CAF_CHECK(!uut.add(0, begin));
  CAF_CHECK(uut.add(3, begin) == 3u);
  CAF_CHECK(!uut.add(4, begin + 1s));
  CAF_CHECK(!uut.add(5, begin + 59s));
  CAF_CHECK(!uut.add(0, begin + 60s));
  CAF_CHECK(uut.add(6, begin + 60s) == 15u);
  CAF_CHECK(!uut.add(7, begin + 61s));
  CAF_CHECK_EQUAL(uut.end(), 25u);
  CAF_CHECK_EQUAL(uut.end(), 0u);
  CAF_CHECK(uut.add(1, begin + 62s) == 1u);
}
