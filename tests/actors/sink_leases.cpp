#define CAF_SUITE actors.sink_leases

#include "support/pending_replies.hpp"
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

CAF_TEST(a stream has a lease while the sink holds events of it) {
  options.streams = {"a", "b"};
  alice.hold();
  spawn_subscribed();
  pass(1min);
  CAF_CHECK_EQUAL(leases.log(), "");
  give_page(nothing);
  pass(250ms); // the read is under way for almost as long
  give(1, 2);
  CAF_CHECK_EQUAL(leases.log(), "add a");
  CAF_REQUIRE_EQUAL(leases.kept().size(), 1u);
  const auto& x = *leases.kept()[0];
  CAF_CHECK_EQUAL(x.sink, "s");
  CAF_CHECK_EQUAL(x.consumer, consumer);
  CAF_CHECK(x.length == 15s);
  CAF_CHECK(boot_time() - x.clock->renewed_at() >= 200ms);
  give(3, 3);
  leases.owns({{1, 0}, {2, 0}, {3, 0}});
  pass(1min);
  CAF_CHECK_EQUAL(leases.log(), "update a, update a, update a, update a");
  for (int i = 0; i < 3; ++i) {
    alice.finish();
    consume_messages();
  }
  pass(2s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
  give_page(nothing);
  give(4, 4);
  CAF_CHECK_EQUAL(leases.log(), "add a");
}

CAF_TEST(a removed stream keeps its lease until its events have ended) {
  alice.hold();
  options.streams = {"a", "b"};
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(leases.log(), "add a");
  auto removed = ask<bool>(uut, atom::rem_stream_v, std::string{"a"});
  consume_messages();
  CAF_CHECK(removed->ok() && removed->value);
  give_page(nothing);
  pass(3s);
  CAF_CHECK_EQUAL(leases.log(), "");
  alice.finish();
  consume_messages();
  pass(1s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
}

CAF_TEST(a stream whose acks are not confirmed keeps its lease) {
  options.filter.topic = "other";
  spawn_subscribed();
  redis.hold("XACK");
  give(1, 1); // the filter does not want it
  CAF_CHECK_EQUAL(leases.log(), "add a");
  pass(10s);
  CAF_CHECK_EQUAL(leases.log(), "");
  release("XACK");
  pass(2s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
}

CAF_TEST(one batch per lease shows that the member of idle streams lives) {
  options.streams = {"a", "b", "c"};
  spawn_subscribed();
  pass(500ms);
  const std::string id = "18446744073709551615-18446744073709551614";
  CAF_CHECK_EQUAL(calls("mark"), "GROUP s me COUNT 1 STREAMS a b c " + id + " "
                                   + id + " " + id);
  CAF_CHECK_EQUAL(calls("check"), "a s - + 1 me | b s - + 1 me | c s - + 1 me");
  pass(15s);
  CAF_CHECK_EQUAL(calls("mark"), "GROUP s me COUNT 1 STREAMS a " + id
                                   + " | GROUP s me COUNT 1 STREAMS b " + id
                                   + " | GROUP s me COUNT 1 STREAMS c " + id);
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
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  sleep(8s);
  leases.renew(); // too late for a
  leases.kept()[0]->clock->stale = true;
  leases.fail_next(errc::permission_denied);
  give_page(nothing); // the read of before
  give(2, 2);
  CAF_CHECK_EQUAL(alice.got(), "");
  give(1, 1, "b");
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "b1");
  leases.owns({{1, 0}, {2, 0}});
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a2");
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

CAF_TEST(the events of a read that arrives slowly keep their lease) {
  spawn_subscribed();
  leases.log();
  pass(6s);
  CAF_CHECK_EQUAL(leases.log(), "");
  redis.blocking().waiting().front().source->progress->arriving = true;
  pass(1s);
  CAF_CHECK_EQUAL(leases.log(), "add a");
  leases.owns({{1, 0}, {2, 0}});
  pass(60s);
  CAF_CHECK_EQUAL(leases.log(), "update a, update a, update a, update a");
  CAF_CHECK(!logged("the sink did not know them"));
  calls("XPENDING");
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(calls("XPENDING"), "");
  CAF_CHECK_EQUAL(info().read_failures, 0u);
  pass(5s);
  CAF_CHECK_EQUAL(leases.log(), "delete a");
}

CAF_TEST(the events of a slow read whose lease ended are verified first) {
  spawn_subscribed();
  redis.blocking().waiting().front().source->progress->arriving = true;
  pass(10s);
  sleep(8s);
  redis.answer("XPENDING", pending({{2, "me"}})); // somebody took a1
  redis.answer("XREADGROUP", page("a", 2, 2));
  leases.owns({{2, 0}});
  give(1, 2);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(the events of a read that a sleep delayed are verified first) {
  spawn_subscribed();
  sleep(8s);
  own_events_are(2, 2); // somebody took a1
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
  own_events_are(2, 2); // somebody took a1
  leases.owns({{2, 0}});
  release("take_over");
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(own pending events that a sleep delayed are read again) {
  spawn_subscribed();
  redis.hold("XREADGROUP");
  own_events_are(1, 2);
  lose_read();
  pass(500ms);
  sleep(8s);
  leases.owns({{2, 0}});
  own_events_are(2, 2); // somebody took a1
  release("XREADGROUP");
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(a pending event that is unknown at two checks is delivered) {
  options.ack_wait = 5min;
  spawn_subscribed();
  alice.hold();
  give(1, 1); // the stream has a lease
  leases.owns({{1, 0}, {9, 0}});
  pass(17s);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  own_events_are(9, 9);
  pass(17s);
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a9");
  CAF_CHECK(logged("the sink did not know them"));
}

CAF_TEST(a pending event of an idle stream is delivered after two checks) {
  spawn_subscribed();
  pass(1s);
  const auto pending = array_of(1) + array_of(4) + bulk("9-0") + bulk("me")
                       + ":1\r\n:1\r\n";
  redis.answer("check", pending);
  pass(16s);
  CAF_CHECK_EQUAL(alice.got(), "");
  redis.answer("check", pending);
  own_events_are(9, 9);
  pass(16s);
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a9");
  CAF_CHECK(logged("the sink did not know them"));
}

CAF_TEST(a check finds a group that vanished) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  pass(1s);
  calls("create_group");
  redis.refuse("check", "NOGROUP No such key");
  pass(15s);
  CAF_CHECK_EQUAL(calls("create_group").empty(), false);
}

CAF_TEST_FIXTURE_SCOPE_END()
