#define CAF_SUITE core.streams.flush_rounds

#include "pulse/core/streams/flush_rounds.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

CAF_TEST(a flush of nothing has ended) {
  flush_rounds uut;
  const auto first = uut.flush();
  CAF_CHECK(uut.has_ended(first));
  const auto a = uut.begin_one();
  CAF_CHECK(uut.has_ended(first)); // what begins later does not matter
  CAF_CHECK(!uut.has_ended(uut.flush()));
  uut.end_one(a);
  CAF_CHECK(uut.has_ended(uut.flush()));
}

CAF_TEST(a flush waits for all that began before it and for nothing else) {
  flush_rounds uut;
  const auto a = uut.begin_one();
  const auto b = uut.begin_one();
  const auto first = uut.flush();
  const auto again = uut.flush();
  const auto c = uut.begin_one();
  const auto second = uut.flush();
  const auto d = uut.begin_one();
  uut.end_one(b);
  uut.end_one(c); // they may end in any order
  CAF_CHECK(!uut.has_ended(first));
  CAF_CHECK(!uut.has_ended(again));
  CAF_CHECK(!uut.has_ended(second));
  uut.end_one(a);
  CAF_CHECK(uut.has_ended(first));
  CAF_CHECK(uut.has_ended(again));
  CAF_CHECK(uut.has_ended(second));
  const auto third = uut.flush();
  CAF_CHECK(!uut.has_ended(third));
  uut.end_one(d);
  CAF_CHECK(uut.has_ended(third));
  CAF_CHECK(uut.has_ended(uut.flush()));
}
