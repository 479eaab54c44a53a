#define CAF_SUITE core.reading.page_limit

#include "pulse/core/reading/page_limit.hpp"

#include <caf/test/unit_test.hpp>

using pulse::errc;
using pulse::page_limit;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t mib = 1u << 20;

// A limit after replies with many small events.
page_limit busy() {
  page_limit result{1s};
  result.worked(1'000, 100'000, 1ms);
  return result;
}

} // namespace

CAF_TEST(the first read asks for one event) {
  page_limit uut{1s};
  CAF_CHECK_EQUAL(uut.apply(0), 0u);
  CAF_CHECK_EQUAL(uut.apply(1'000), 1u);
  CAF_CHECK_EQUAL(uut.event_bytes(), 0u);
  uut.worked(0, 0, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000), 1u);
}

CAF_TEST(a reader begins with any number of events) {
  page_limit uut;
  CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
  uut.worked(1, 8 * mib, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000), 2u);
}

CAF_TEST(reads grow with the number of events that came) {
  page_limit uut{1s};
  uut.worked(1, 100, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000), 8u);
  uut.worked(8, 800, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000), 64u);
  CAF_CHECK_EQUAL(uut.apply(5), 5u);
  uut.worked(1, 100, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000), 64u);
}

CAF_TEST(large events make reads smaller down to one event) {
  auto uut = busy();
  CAF_CHECK_EQUAL(uut.event_bytes(), 100u);
  CAF_CHECK_EQUAL(uut.apply(5'000, 16 * mib), 5'000u);
  uut.worked(4, 16 * mib, 0ms);
  CAF_CHECK_EQUAL(uut.event_bytes(), 4 * mib);
  CAF_CHECK_EQUAL(uut.apply(5'000, 16 * mib), 4u);
  CAF_CHECK_EQUAL(uut.apply(5'000, 12 * mib), 3u);
  CAF_CHECK_EQUAL(uut.apply(5'000, mib), 1u);
  CAF_CHECK_EQUAL(uut.apply(5'000, 0), 1u);
}

CAF_TEST(the streams of a read share its reply) {
  page_limit uut;
  uut.worked(16, 16u << 20, 1ms);
  CAF_CHECK_EQUAL(uut.apply(1'000, 16u << 20, 1), 16u);
  CAF_CHECK_EQUAL(uut.apply(1'000, 16u << 20, 4), 4u);
  CAF_CHECK_EQUAL(uut.apply(1'000, 16u << 20, 100), 1u);
}

CAF_TEST(a single busy stream among many is read fast after a failure) {
  page_limit uut;
  uut.failed(1'000, pulse::errc::connection_lost);
  uint32_t count = 0;
  for (int i = 0; i < 4; ++i) {
    count = uut.apply(400, page_limit::default_bytes, 256);
    uut.worked(count, count * 100, 1ms);
  }
  CAF_CHECK_EQUAL(count, 400u);
}

CAF_TEST(small events make reads larger again) {
  auto uut = busy();
  uut.worked(1, 8 * mib, 0ms);
  int reads = 0;
  for (; uut.apply(500) < 500 && reads < 1'000; ++reads)
    uut.worked(uut.apply(500), 100 * uut.apply(500), 0ms);
  CAF_CHECK_LESS(reads, 30);
}

CAF_TEST(one large event among many small ones changes little) {
  auto uut = busy();
  uut.worked(16, 8 * mib, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000, 16 * mib), 32u);
  for (int i = 0; i < 10; ++i)
    uut.worked(16, 1'600, 0ms);
  CAF_CHECK_EQUAL(uut.apply(1'000, 16 * mib), 1'000u);
}

CAF_TEST(a reply arrives within the time that it may take) {
  page_limit uut{500ms};
  uut.worked(1'000, 10 * mib, 1s);
  CAF_CHECK_EQUAL(uut.apply(5'000), 500u);
  uut.worked(500, 5 * mib, 1s); // the link became slower
  CAF_CHECK_EQUAL(uut.apply(5'000), 374u);
  uut.worked(1, 100, 0ms); // says nothing about it
  CAF_CHECK_LESS(uut.apply(5'000), 500u);
  for (int i = 0; i < 10; ++i)
    uut.worked(300, 3 * mib, 10ms); // it is fast again
  CAF_CHECK_EQUAL(uut.apply(5'000, 10 * mib), 1'000u);
}

CAF_TEST(after a failure a read asks for one event and half as many) {
  for (auto why : {errc::connection_lost, errc::timed_out, errc::protocol_error,
                   errc::payload_too_large}) {
    auto uut = busy();
    uut.failed(1'000, why);
    CAF_CHECK_EQUAL(uut.apply(1'000), 1u);
    uut.worked(1, 100, 0ms);
    CAF_CHECK_EQUAL(uut.apply(1'000), 8u);
    uut.worked(8, 800, 0ms);
    uut.worked(64, 6'400, 0ms);
    uut.worked(500, 50'000, 0ms);
    CAF_CHECK_LESS(uut.apply(1'000), 1'000u);
  }
}

CAF_TEST(replies that never come make pages smaller down to one event) {
  auto uut = busy();
  uut.failed(1'000, errc::timed_out);
  for (int i = 0; i < 20; ++i) {
    uut.worked(1, 100, 0ms);
    uut.worked(1'000, 100'000, 0ms);
    uut.failed(uut.apply(1'000), errc::timed_out);
  }
  uut.worked(1'000, 100'000, 0ms);
  CAF_CHECK_LESS(uut.apply(1'000), 10u);
}

CAF_TEST(replies that come make them larger again) {
  auto uut = busy();
  for (int i = 0; i < 10; ++i)
    uut.failed(1'000, errc::connection_lost);
  for (int i = 0; i < 100; ++i)
    uut.worked(1'000, 100'000, 0ms);
  CAF_CHECK_EQUAL(uut.apply(100'000), 8'000u);
}

CAF_TEST(what was never sent says nothing about pages) {
  auto uut = busy();
  uut.failed(1'000, errc::connect_failed);
  uut.failed(1'000, errc::auth_failed);
  CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
}
