#define CAF_SUITE core.reading.page_limit

#include "pulse/core/reading/page_limit.hpp"

#include <caf/test/unit_test.hpp>

using pulse::errc;
using pulse::page_limit;

CAF_TEST(it changes nothing as long as replies come) {
  page_limit uut;
  CAF_CHECK_EQUAL(uut.apply(0), 0u);
  CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
  uut.worked();
  CAF_CHECK_EQUAL(uut.apply(100'000), 100'000u);
}

CAF_TEST(replies that do not come make pages smaller down to one event) {
  for (auto why :
       {errc::connection_lost, errc::timed_out, errc::protocol_error}) {
    page_limit uut;
    uut.failed(1'000, why);
    CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
    uut.failed(1'000, why);
    CAF_CHECK_EQUAL(uut.apply(1'000), 250u);
    CAF_CHECK_EQUAL(uut.apply(10), 10u);
    for (int i = 0; i < 10; ++i)
      uut.failed(uut.apply(1'000), why);
    CAF_CHECK_EQUAL(uut.apply(1'000), 1u);
  }
}

CAF_TEST(a reply that does not come now and then changes nothing) {
  page_limit uut;
  for (int i = 0; i < 10; ++i) {
    uut.failed(1'000, errc::connection_lost);
    uut.worked();
  }
  CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
}

CAF_TEST(replies that come make them larger again) {
  page_limit uut;
  for (int i = 0; i < 10; ++i)
    uut.failed(uut.apply(1'000), errc::connection_lost);
  uut.worked();
  CAF_CHECK_EQUAL(uut.apply(1'000), 2u);
  for (int i = 0; i < 100; ++i)
    uut.worked();
  CAF_CHECK_EQUAL(uut.apply(100'000), 100'000u);
}

CAF_TEST(what was never sent says nothing about pages) {
  page_limit uut;
  uut.failed(1'000, errc::connect_failed);
  uut.failed(1'000, errc::auth_failed);
  uut.failed(1'000, errc::connect_failed);
  CAF_CHECK_EQUAL(uut.apply(1'000), 1'000u);
}
