#define CAF_SUITE core.streams.trim_schedule

#include "pulse/core/streams/trim_schedule.hpp"

#include <limits>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;

namespace {

struct fixture {
  trim_schedule::time_point now{1h};

  // The first trim is over.
  trim_schedule started(uint64_t max_len) {
    trim_schedule result{max_len};
    CAF_REQUIRE(result.added(1, now));
    result.done();
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(trim_schedule_tests, fixture)

CAF_TEST(the first add trims) {
  trim_schedule uut{100'000};
  CAF_CHECK(!uut.added(0, now));
  CAF_CHECK(uut.added(1, now));
}

CAF_TEST(a hundredth of the limit is the next occasion) {
  auto uut = started(100'000);
  CAF_CHECK(!uut.added(999, now));
  CAF_CHECK(uut.added(1, now));
  uut.done();
  CAF_CHECK(!uut.added(999, now));
  CAF_CHECK(uut.added(5'000, now));
}

CAF_TEST(small streams wait for 256 events) {
  auto uut = started(10);
  CAF_CHECK(!uut.added(255, now));
  CAF_CHECK(uut.added(1, now));
}

CAF_TEST(a second later the next add trims) {
  auto uut = started(100'000);
  CAF_CHECK(!uut.added(1, now + 999ms));
  CAF_CHECK(!uut.added(0, now + 999ms));
  CAF_CHECK(uut.added(1, now + 1s));
}

CAF_TEST(adds that came before count as well after a second) {
  auto uut = started(100'000);
  CAF_CHECK(!uut.added(1, now));
  CAF_CHECK(uut.added(0, now + 1s));
}

CAF_TEST(nothing is trimmed without adds) {
  auto uut = started(100'000);
  CAF_CHECK(!uut.added(0, now + 1h));
}

CAF_TEST(one trim at a time and what was added meanwhile counts) {
  trim_schedule uut{100};
  CAF_CHECK(uut.added(1, now));
  CAF_CHECK(!uut.added(10'000, now + 1h));
  uut.done();
  CAF_CHECK(uut.added(0, now + 1h));
}

CAF_TEST(without a limit nothing is ever trimmed) {
  trim_schedule uut{0};
  CAF_CHECK(!uut.added(1'000'000, now));
  CAF_CHECK(!uut.added(1, now + 1h));
}

CAF_TEST(a stream of twice its limit alarms once per doubling) {
  trim_schedule uut{10'000};
  CAF_CHECK(!uut.alarming(19'999));
  CAF_CHECK(uut.alarming(20'000));
  CAF_CHECK(!uut.alarming(39'999));
  CAF_CHECK(uut.alarming(40'000));
  CAF_CHECK(!uut.alarming(20'000));
  CAF_CHECK(!uut.alarming(15'000));
  CAF_CHECK(uut.alarming(20'000));
}

CAF_TEST(a small stream may exceed its limit by a thousand) {
  trim_schedule uut{10};
  CAF_CHECK(!uut.alarming(1'009));
  CAF_CHECK(uut.alarming(1'010));
}

CAF_TEST(the largest limit does not overflow) {
  trim_schedule uut{std::numeric_limits<int64_t>::max()};
  CAF_CHECK(uut.added(1, now));
  CAF_CHECK(!uut.alarming(std::numeric_limits<int64_t>::max()));
}

CAF_TEST_FIXTURE_SCOPE_END()
