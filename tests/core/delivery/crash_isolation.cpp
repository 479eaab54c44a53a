#define CAF_SUITE core.delivery.crash_isolation

#include "pulse/core/delivery/crash_isolation.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

delivery_ticket ticket(uint64_t serial, uint32_t round = 0) {
  return {0, round, serial};
}

delivery_counts crashes(uint32_t n) {
  return {1, 0, n};
}

bool always(const delivery_ticket&) {
  return true;
}

} // namespace

CAF_TEST(it applies to events that one more crash would make dead letters) {
  crash_isolation uut{3};
  CAF_CHECK(!uut.applies_to(crashes(1)));
  CAF_CHECK(uut.applies_to(crashes(2)));
  CAF_CHECK(uut.applies_to(crashes(7)));
  CAF_CHECK(!crash_isolation{0}.applies_to(crashes(7)));
}

CAF_TEST(candidates get the turn one after the other) {
  crash_isolation uut{3};
  CAF_CHECK(!uut.enter(ticket(1)));
  CAF_CHECK(!uut.enter(ticket(2)));
  CAF_CHECK_EQUAL(uut.waiting(), 2u);
  CAF_CHECK(uut.advance(always) == ticket(1));
  CAF_CHECK(uut.current() == ticket(1));
  CAF_CHECK_EQUAL(uut.waiting(), 1u);
  CAF_CHECK(uut.advance(always) == ticket(2));
  CAF_CHECK(!uut.advance(always).has_value());
  CAF_CHECK(uut.current() == delivery_ticket{});
}

CAF_TEST(who has the turn keeps it for another attempt) {
  crash_isolation uut{3};
  uut.enter(ticket(1));
  uut.enter(ticket(2));
  uut.advance(always);
  CAF_CHECK(uut.enter(ticket(1, 1)));
  CAF_CHECK_EQUAL(uut.waiting(), 1u);
}

CAF_TEST(who does not wait any more is passed over) {
  crash_isolation uut{3};
  for (uint64_t i = 1; i <= 4; ++i)
    uut.enter(ticket(i));
  const auto next
    = uut.advance([](const delivery_ticket& x) { return x.serial == 3; });
  CAF_CHECK(next == ticket(3));
  CAF_CHECK_EQUAL(uut.waiting(), 1u);
}
