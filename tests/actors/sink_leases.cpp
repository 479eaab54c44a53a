#define CAF_SUITE actors.sink_leases

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// A node that was stopped may have lost its events to other nodes. So its sink
// asks Redis before it dispatches events.

namespace {

struct fixture : sink_actor_fixture {
  // Alice works on a1, and a2 waits for her. Then the machine sleeps.
  void sleep_with_two() {
    alice.hold();
    spawn_subscribed(1);
    give(1, 2);
    leases.log();
    sleep(8s);
  }

  void next() {
    alice.finish();
    consume_messages();
    pass(100ms);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_leases_tests, fixture)

CAF_TEST(each stream has a lease until it is removed) {
  options.streams = {"a", "b"};
  spawn();
  CAF_CHECK_EQUAL(leases.log(), "add a, add b");
  CAF_CHECK_EQUAL(leases.kept()[0]->sink, "s");
  CAF_CHECK_EQUAL(leases.kept()[0]->consumer, consumer);
  CAF_CHECK(leases.kept()[0]->length == 15s);
  auto removed = ask<bool>(uut, atom::rem_stream_v, std::string{"a"});
  consume_messages();
  CAF_CHECK(removed->ok() && removed->value);
  pass(1s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
}

CAF_TEST(with ack none there are no leases) {
  options.ack = ack_mode::none;
  spawn();
  CAF_CHECK_EQUAL(leases.log(), "");
}

CAF_TEST(events that other nodes took meanwhile are not delivered) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}});
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(leases.log(), "update a");
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK(logged("other nodes took over 1 of its events"));
}

CAF_TEST(events that the sink still owns are delivered) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}, {2, 0}});
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(info().lost_leases, 0u);
}

CAF_TEST(
  nothing is delivered between the renewal and the news of what is lost) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}});
  leases.hold_updates();
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(leases.log(), "update a");
  CAF_CHECK_EQUAL(subscribe(bob), "none"); // another message
  pass(100ms);
  CAF_CHECK_EQUAL(bob.got(), "");
  leases.release_updates();
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(bob.got(), "");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
}

CAF_TEST(nothing is delivered while ownership is unknown) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}, {2, 0}});
  leases.fail_next(errc::timed_out);
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(2s); // it asks again
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(a stream whose ownership is unknown does not stop the others) {
  options.streams = {"a", "b"};
  alice.hold();
  spawn_subscribed(4);
  sleep(8s);
  leases.renew(); // too late for a
  leases.kept()[0]->clock->stale = true;
  leases.fail_next(errc::permission_denied);
  give_page(nothing); // the read of before
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "");
  give(1, 1, "b");
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "b1");
  leases.owns({{1, 0}});
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

CAF_TEST(a lease that the keeper found stale is verified) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  sleep(8s);
  leases.renew(); // too late
  leases.kept()[0]->clock->stale = true;
  leases.owns({{1, 0}});
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
}

CAF_TEST(the events of a read that a sleep delayed are verified first) {
  spawn_subscribed();
  sleep(8s);
  redis.answer("XREADGROUP", page("a", 2, 2)); // somebody took a1
  leases.owns({{2, 0}});
  give(1, 2);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(the events of a claim that a sleep delayed are verified first) {
  spawn_subscribed();
  redis.hold("take_over");
  redis.answer("take_over", taken({{1, "dead"}, {2, "dead"}}, entries(1, 2)));
  pass(1200ms);
  sleep(8s);
  redis.answer("XREADGROUP", page("a", 2, 2)); // somebody took a1
  leases.owns({{2, 0}});
  release("take_over");
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(own pending events that a sleep delayed are read again) {
  spawn_subscribed();
  redis.hold("XREADGROUP");
  redis.answer("XREADGROUP", page("a", 1, 2));
  lose_read();
  pass(500ms);
  sleep(8s);
  leases.owns({{2, 0}});
  redis.answer("XREADGROUP", page("a", 2, 2)); // somebody took a1
  release("XREADGROUP");
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(a pending event that is unknown at two checks is delivered) {
  spawn_subscribed();
  leases.owns({{9, 0}});
  pass(17s);
  CAF_CHECK_EQUAL(alice.got(), "");
  redis.answer("XREADGROUP", page("a", 9, 9));
  pass(17s);
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a9");
  CAF_CHECK(logged("the sink did not know them"));
}

CAF_TEST_FIXTURE_SCOPE_END()
