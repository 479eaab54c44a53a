#define CAF_SUITE simulation.delivery_rules

#include "simulation/unit/checker_fixture.hpp"

using namespace pulse;
using namespace pulse::simulation;
using namespace std::chrono_literals;

// Each rule about what workers get is kept and broken by hand.

CAF_TEST_FIXTURE_SCOPE(delivery_rules_tests, checker_fixture)

CAF_TEST(two live workers never have the same event) {
  arrive(11, make(1));
  arrive(21, make(1, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(an acknowledged event does not come again) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  arrive(12, make(1, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(the next worker may have it after a failure) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::failed);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after a death) {
  arrive(11, make(1));
  uut.deliveries.worker_dies(11);
  arrive(12, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after ack_wait) {
  arrive(11, make(1));
  pass(1s);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after the death of a node) {
  arrive(11, make(1));
  uut.deliveries.instance_ends(1);
  arrive(21, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after Redis gave it to another sink) {
  arrive(11, make(1));
  uut.deliveries.moves({"x", "s", {1, 0}}, 2);
  arrive(21, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(what Redis gave to another sink does not go on here) {
  arrive(11, make(1));
  uut.deliveries.moves({"x", "s", {1, 0}}, 2);
  arrive(21, make(1, {2, 0, 1}));
  arrive(12, make(1, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(a worker may ask for more time) {
  arrive(11, make(1));
  pass(700ms);
  uut.deliveries.extends(11, make(1));
  pass(700ms);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(the late answer of a worker does not count for the next one) {
  auto rules = *uut.deliveries.rules_of(1);
  rules.manual = true;
  uut.deliveries.instance_opens(3, "y", rules);
  for (worker_id id : {31u, 32u, 33u})
    uut.deliveries.worker_joins(id, 3);
  arrive(31, make(1));
  pass(1s);
  arrive(32, make(1, {2, 1, 0}));
  uut.deliveries.ends(31, make(1), ending::failed);
  arrive(33, make(1, {3, 2, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(a redelivery is counted) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::failed);
  arrive(12, make(1));
  CAF_CHECK_EQUAL(broken(), "uncounted");
}

CAF_TEST(an event does not come again after too many failures) {
  arrive(11, make(1, {4, 2, 0}));
  uut.deliveries.ends(11, make(1, {4, 2, 0}), ending::failed);
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(11, make(1, {5, 3, 0}));
  CAF_CHECK_EQUAL(broken(), "attempts");
}

CAF_TEST(first deliveries come in order) {
  arrive(11, make(2));
  arrive(11, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
  uut.deliveries.ends(11, make(1, {2, 1, 0}), ending::acknowledged);
  arrive(11, make(1));
  CAF_CHECK_EQUAL(uut.found.all().back().rule, "order");
}

CAF_TEST(a worker holds no more than its credit) {
  for (uint64_t n = 1; n <= 2; ++n)
    arrive(11, make(n));
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(11, make(3));
  CAF_CHECK_EQUAL(broken(), "credit");
}

CAF_TEST(a topic is at one worker at a time) {
  auto rules = *uut.deliveries.rules_of(1);
  rules.keyed = true;
  uut.deliveries.instance_opens(3, "y", rules);
  uut.deliveries.worker_joins(31, 3);
  uut.deliveries.worker_joins(32, 3);
  arrive(31, make(1, {1, 0, 0}, "a"));
  arrive(32, make(2, {1, 0, 0}, "b"));
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(32, make(3, {1, 0, 0}, "a"));
  CAF_CHECK_EQUAL(broken(), "topic");
}

CAF_TEST_FIXTURE_SCOPE_END()
