#define CAF_SUITE actors.sink_manual

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Outcomes by messages: ack, nack, extend and term.

namespace {

struct fixture : sink_actor_fixture {
  fixture() {
    options.ack = ack_mode::manual;
    options.ack_wait = 10s;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_manual_tests, fixture)

CAF_TEST(an ack is answered when Redis has it) {
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(calls("XACK"), ""); // returning means nothing
  redis.hold("XACK");
  auto done = tell(atom::ack_v, delivery(1));
  CAF_CHECK_EQUAL(done->why(), "no answer");
  release("XACK");
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
}

CAF_TEST(an ack that Redis did not confirm says so and is repeated) {
  spawn_subscribed();
  give(1, 1);
  redis.lose("XACK");
  auto done = tell(atom::ack_v, delivery(1));
  CAF_CHECK(done->why().find("the ack is not confirmed yet")
            != std::string::npos);
  pass(1s);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 | a s 1-0");
  CAF_CHECK_EQUAL(info().acked, 1u);
}

CAF_TEST(an event that the sink does not hold cannot be acknowledged) {
  spawn_subscribed();
  give(1, 1);
  for (auto x : {delivery(2), delivery(1, "b")})
    CAF_CHECK_EQUAL(tell(atom::ack_v, x)->why().substr(0, 17),
                    "no_such_delivery:");
  tell(atom::ack_v, delivery(1));
  CAF_CHECK_EQUAL(tell(atom::ack_v, delivery(1))->why().substr(0, 17),
                  "no_such_delivery:");
}

CAF_TEST(a nack brings the event back after its delay) {
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(tell(atom::nack_v, delivery(1), caf::timespan{3s})->why(),
                  "none");
  pass(2900ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(200ms);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,1,0)");
}

CAF_TEST(a nack without a delay follows the backoff list) {
  options.backoff = {2s};
  spawn_subscribed();
  give(1, 1);
  tell(atom::nack_v, delivery(1), caf::timespan{0});
  pass(1400ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(1200ms);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,1,0)");
}

CAF_TEST(after extend ack_wait begins again) {
  spawn_subscribed();
  give(1, 1);
  pass(9s);
  CAF_CHECK_EQUAL(tell(atom::extend_v, delivery(1))->why(), "none");
  pass(9s);
  CAF_CHECK_EQUAL(info().timeouts, 0u);
  pass(2s);
  CAF_CHECK_EQUAL(info().timeouts, 1u);
}

CAF_TEST(a late answer does not change the next delivery) {
  options.ack_wait = 1s;
  options.backoff = {0ms};
  spawn_subscribed(1);
  subscribe(bob, 1);
  give(1, 1);
  CAF_REQUIRE_EQUAL(alice.got(), "a1");
  pass(1500ms); // alice is late, bob has the event
  CAF_REQUIRE_EQUAL(bob.got(), "a1(2,1,0)");
  auto first = delivery(1);
  first.attempt = 1;
  auto is_refused = [&](const auto& x) {
    return x->why().find(
             "has ended: it was answered before, or ack_wait was over")
           != std::string::npos;
  };
  CAF_CHECK(is_refused(tell(atom::nack_v, first, caf::timespan{0})));
  CAF_CHECK(is_refused(tell(atom::extend_v, first)));
  CAF_CHECK(is_refused(tell(atom::term_v, first, std::string{"no"})));
  CAF_CHECK_EQUAL(info().nacks, 0u);
  CAF_CHECK_EQUAL(info().dispatched, 1u);
  auto second = delivery(1);
  second.attempt = 2;
  CAF_CHECK_EQUAL(tell(atom::extend_v, second)->why(), "none");
  CAF_CHECK_EQUAL(tell(atom::ack_v, first)->why(), "none"); // it is done
  pass(100ms);
  CAF_CHECK_EQUAL(info().acked, 1u);
}

CAF_TEST(one message acknowledges many events) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  give(1, 3);
  redis.hold("XACK");
  auto done = tell(atom::ack_v, std::vector{delivery(1), delivery(3)});
  CAF_CHECK_EQUAL(done->why(), "no answer");
  release("XACK");
  pass(100ms);
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 3-0");
  CAF_CHECK_EQUAL(info().acked, 2u);
  CAF_CHECK_EQUAL(tell(atom::ack_v, std::vector<delivery_id>{})->why(), "none");
}

CAF_TEST(an ack of many events says which the sink does not hold) {
  spawn_subscribed();
  give(1, 2);
  auto done = tell(atom::ack_v,
                   std::vector{delivery(1), delivery(7), delivery(2)});
  CAF_CHECK_EQUAL(done->why().substr(0, 71),
                  "no_such_delivery: 1 of 3 events cannot be acknowledged, the "
                  "others can;");
  CAF_CHECK(done->why().find("event 7-0") != std::string::npos);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
}

CAF_TEST(term makes a dead letter with the reason) {
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(
    tell(atom::term_v, delivery(1), std::string{"no such customer"})->why(),
    "none");
  CAF_CHECK(calls("dead_letter").find("x-reason no such customer")
            != std::string::npos);
}

CAF_TEST(a worker that returns an error does not end the sink) {
  spawn_subscribed();
  alice.always_fail(caf::make_error(errc::internal, "bad handler"));
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(tell(atom::ack_v, delivery(1))->why(), "none");
  CAF_CHECK_EQUAL(info().acked, 1u); // the error means nothing in this mode
  CAF_CHECK_EQUAL(info().nacks, 0u);
}

CAF_TEST(a worker that throws is dead and does not end the sink) {
  spawn_subscribed();
  CAF_CHECK_EQUAL(subscribe(bob), "none");
  alice.throw_next();
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1)");
}

CAF_TEST(a sink that ends answers those who wait for an ack) {
  spawn_subscribed();
  give(1, 1);
  redis.hold("XACK");
  auto done = tell(atom::ack_v, delivery(1));
  caf::anon_send_exit(uut, caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(done->why().substr(0, 7), "closed:");
}

CAF_TEST_FIXTURE_SCOPE_END()
