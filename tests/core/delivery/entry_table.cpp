#define CAF_SUITE core.delivery.entry_table

#include "pulse/core/delivery/entry_table.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

event ev(uint64_t id) {
  return event::make({"s", {id, 0}}, "n", "p");
}

} // namespace

CAF_TEST(an event is held once per stream) {
  entry_table uut;
  CAF_CHECK(uut.add(0, ev(1)) != nullptr);
  CAF_CHECK(uut.add(0, ev(1)) == nullptr);
  CAF_CHECK(uut.add(1, ev(1)) != nullptr);
  CAF_CHECK_EQUAL(uut.size(), 2u);
  CAF_CHECK(uut.find(0, {1, 0}) != nullptr);
  CAF_CHECK(uut.find(0, {2, 0}) == nullptr);
}

CAF_TEST(a ticket does not find what took the place of its entry) {
  entry_table uut;
  auto* x = uut.add(0, ev(1));
  const auto old = uut.ticket_of(*x);
  CAF_CHECK(uut.resolve(old) == x);
  uut.erase(*x);
  CAF_CHECK(uut.resolve(old) == nullptr);
  auto* y = uut.add(0, ev(1));
  CAF_CHECK_EQUAL(uut.ticket_of(*y).slot, old.slot);
  CAF_CHECK(uut.resolve(old) == nullptr);
  CAF_CHECK(uut.resolve(delivery_ticket{}) == nullptr);
}

CAF_TEST(a ticket can ask for a state and its own dispatch) {
  entry_table uut;
  auto* x = uut.add(0, ev(1));
  uut.move_to(*x, entry_state::queued);
  const auto first = uut.ticket_of(*x);
  CAF_CHECK(uut.resolve(first, entry_state::queued) == x);
  CAF_CHECK(uut.resolve(first, entry_state::waiting) == nullptr);
  ++x->round;
  CAF_CHECK(uut.resolve(first, entry_state::queued) == nullptr);
  CAF_CHECK(uut.resolve(first) == x);
}

CAF_TEST(states are counted) {
  entry_table uut;
  auto* x = uut.add(0, ev(1));
  uut.move_to(*x, entry_state::queued);
  CAF_CHECK_EQUAL(uut.count(entry_state::queued), 1u);
  uut.move_to(*x, entry_state::dispatched);
  CAF_CHECK_EQUAL(uut.count(entry_state::queued), 0u);
  CAF_CHECK_EQUAL(uut.count(entry_state::dispatched), 1u);
  uut.erase(*x);
  CAF_CHECK_EQUAL(uut.count(entry_state::dispatched), 0u);
}

CAF_TEST(the lowest ID of a stream is known) {
  entry_table uut;
  CAF_CHECK(!uut.lowest(0));
  for (uint64_t id : {3u, 1u, 2u})
    uut.move_to(*uut.add(0, ev(id)), entry_state::queued);
  CAF_CHECK(uut.lowest(0) == (event_id{1, 0}));
  CAF_CHECK(!uut.lowest(1));
}

CAF_TEST(serials grow) {
  entry_table uut;
  const auto before = uut.next_serial();
  auto* x = uut.add(0, ev(1));
  CAF_CHECK_EQUAL(x->serial, before);
  CAF_CHECK(uut.next_serial() > before);
}
