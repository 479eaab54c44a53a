#define CAF_SUITE core.delivery.key_queues

#include "pulse/core/delivery/key_queues.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

delivery_ticket ticket(uint64_t serial) {
  return {0, 0, serial};
}

} // namespace

CAF_TEST(the first event of a key has the turn at once) {
  key_queues uut;
  CAF_CHECK(uut.enter(1, ticket(1)));
  CAF_CHECK(uut.enter(2, ticket(2)));
  CAF_CHECK(!uut.enter(1, ticket(3)));
  CAF_CHECK_EQUAL(uut.size(), 2u);
}

CAF_TEST(the others of a key follow in their order) {
  key_queues uut;
  uut.enter(1, ticket(1));
  uut.enter(1, ticket(2));
  uut.enter(2, ticket(3));
  uut.enter(1, ticket(4));
  CAF_CHECK(uut.next(1) == ticket(2));
  uut.enter(1, ticket(5));
  CAF_CHECK(uut.next(1) == ticket(4));
  CAF_CHECK(uut.next(1) == ticket(5));
}

CAF_TEST(a key whose last event is decided is forgotten) {
  key_queues uut;
  uut.enter(1, ticket(1));
  uut.enter(1, ticket(2));
  CAF_CHECK(uut.next(1).has_value());
  CAF_CHECK(!uut.next(1).has_value());
  CAF_CHECK_EQUAL(uut.size(), 0u);
  CAF_CHECK(uut.enter(1, ticket(3)));
}

CAF_TEST(long queues keep their order while they grow and shrink) {
  key_queues uut;
  uint64_t last_in = 1;
  uint64_t last_out = 1;
  uut.enter(1, ticket(1));
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 40; ++i)
      uut.enter(1, ticket(++last_in));
    for (int i = 0; i < 35; ++i)
      CAF_REQUIRE(uut.next(1) == ticket(++last_out));
  }
  while (last_out < last_in)
    CAF_REQUIRE(uut.next(1) == ticket(++last_out));
  CAF_CHECK(!uut.next(1).has_value());
}
