#define CAF_SUITE core.delivery.demand

#include "pulse/core/delivery/demand.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

// One stream, subscribers that take 10 at a time, a window of 20.
intake_facts facts(size_t held, size_t parked = 0) {
  intake_facts result;
  result.capacity = 10;
  result.open_streams = 1;
  result.window = 20;
  result.max_in_flight = 100;
  result.held = held;
  result.parked = parked;
  result.max_parked = 1'000;
  return result;
}

} // namespace

CAF_TEST(a sink without subscribers or streams wants nothing) {
  auto x = facts(0);
  x.capacity = 0;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
  x = facts(0);
  x.open_streams = 0;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
}

CAF_TEST(a sink reads half a window at a time) {
  CAF_CHECK_EQUAL(demand_of(facts(0)), 20u);
  CAF_CHECK_EQUAL(demand_of(facts(10)), 10u);
  CAF_CHECK_EQUAL(demand_of(facts(11)), 0u);
  CAF_CHECK_EQUAL(demand_of(facts(20)), 0u);
}

CAF_TEST(idle subscribers get more before half a window is free) {
  auto x = facts(15);
  x.capacity = 16;
  CAF_CHECK_EQUAL(demand_of(x), 5u);
}

CAF_TEST(parked events stop the others only if there are too many) {
  CAF_CHECK_EQUAL(demand_of(facts(0, 999)), 20u);
  CAF_CHECK_EQUAL(claim_demand_of(facts(0, 999)), 20u);
  CAF_CHECK_EQUAL(demand_of(facts(0, 1'000)), 0u);
  CAF_CHECK_EQUAL(claim_demand_of(facts(0, 1'000)), 0u);
}

CAF_TEST(parked events come back also if too many are parked) {
  CAF_CHECK_EQUAL(room_for_parked_of(facts(30, 2'000), 30), 70u);
  CAF_CHECK_EQUAL(room_for_parked_of(facts(200, 1), 10), 0u);
  auto x = facts(0, 10);
  x.capacity = 0;
  CAF_CHECK_EQUAL(room_for_parked_of(x, 0), 0u);
}

CAF_TEST(idle subscribers get parked events also if the window is full) {
  CAF_CHECK_EQUAL(room_for_parked_of(facts(100, 1), 0), 10u);
  CAF_CHECK_EQUAL(room_for_parked_of(facts(100, 1), 7), 3u);
  CAF_CHECK_EQUAL(room_for_parked_of(facts(100, 1), 11), 0u);
}

CAF_TEST(many streams are no reason to hold more) {
  auto x = facts(0);
  x.open_streams = 30;
  x.max_in_flight = 5;
  x.window = 5;
  CAF_CHECK_EQUAL(room_of(x), 4u); // 1 is for claims
  CAF_CHECK_EQUAL(demand_of(x), 4u);
  x.held = 4;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
}

CAF_TEST(claims find room when there is a backlog of new events) {
  CAF_CHECK_EQUAL(claim_demand_of(facts(0)), 20u);
  CAF_CHECK_EQUAL(claim_demand_of(facts(20)), 10u);
  CAF_CHECK_EQUAL(claim_demand_of(facts(95)), 5u);
  CAF_CHECK_EQUAL(claim_demand_of(facts(100)), 0u);
  auto x = facts(0);
  x.capacity = 0;
  CAF_CHECK_EQUAL(claim_demand_of(x), 0u);
}

CAF_TEST(a window of one event is not kept free for claims) {
  auto x = facts(0);
  x.max_in_flight = 1;
  CAF_CHECK_EQUAL(room_for_claims(x), 0u);
  CAF_CHECK_EQUAL(demand_of(x), 1u);
}

CAF_TEST(a sink that holds many bytes wants nothing) {
  auto x = facts(5);
  x.max_bytes = 400;
  x.held_bytes = 200;
  CAF_CHECK_EQUAL(demand_of(x), 15u);
  CAF_CHECK_EQUAL(reply_bytes(x, true), 25u);
  CAF_CHECK_EQUAL(reply_bytes(x, false), 50u);
  x.held_bytes = 300;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
  CAF_CHECK_EQUAL(claim_demand_of(x), 10u); // a quarter is for claims
  x.held_bytes = 500;
  CAF_CHECK_EQUAL(claim_demand_of(x), 0u);
  CAF_CHECK_EQUAL(reply_bytes(x, false), 0u);
}

CAF_TEST(a sink wants no event that has probably no room) {
  auto x = facts(5);
  x.max_bytes = 400;
  x.held_bytes = 200;
  x.event_bytes = 100;
  CAF_CHECK(demand_of(x) > 0);
  x.event_bytes = 101;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
  CAF_CHECK(claim_demand_of(x) > 0);
  x.event_bytes = 201;
  CAF_CHECK_EQUAL(claim_demand_of(x), 0u);
}

CAF_TEST(an event that is greater than the bound is taken alone) {
  auto x = facts(0);
  x.max_bytes = 1;
  x.event_bytes = 1'000;
  CAF_CHECK_EQUAL(demand_of(x), 20u);
  CAF_CHECK(claim_demand_of(x) > 0);
  x.held_bytes = 1'000;
  CAF_CHECK_EQUAL(demand_of(x), 0u);
  CAF_CHECK_EQUAL(claim_demand_of(x), 0u);
}
