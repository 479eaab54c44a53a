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

  // Alice works on a1, and the other events wait for her.
  void listen_with_held(uint64_t n) {
    alice.hold();
    spawn_subscribed(1);
    listen();
    give(1, n);
    leases.log();
    calls("keep");
  }

  // The next audit says how many events are pending for the sink.
  void audit_sees(uint64_t own) {
    audit_facts facts;
    facts.own = own;
    redis.answer("audit", audit_reply(facts));
  }

  static std::string ids(const std::vector<uint64_t>& xs) {
    auto result = array_of(xs.size());
    for (auto x : xs)
      result += bulk(to_string(event_id{x, 0}));
    return result;
  }

  // The reply of the script delay if an event is pending for nobody.
  static std::string nobodys_delay(std::initializer_list<uint64_t> xs) {
    return array_of(5) + ":0\r\n:-1\r\n" + array_of(0) + ids(xs) + ":0\r\n";
  }

  // A call of ZADD has the time, too.
  static bool has_id(const std::string& call, const std::string& id) {
    return call.size() > id.size()
           && call.compare(call.size() - id.size(), id.size(), id) == 0;
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
  pass(600ms);
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
  // So short a sleep explains nothing: the sink asked who has the event.
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 2-0 1");
  CAF_CHECK(logged("1 of its events of stream a are not pending"));
}

CAF_TEST(after a long sleep no event is claimed anew) {
  sleep_with_two();
  sleep(2s);
  leases.stop();
  leases.owns({{1, 0}});
  next();
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
  CAF_CHECK_EQUAL(calls("keep"), "");
  CAF_CHECK(logged("this node did not renew its lease in time"));
}

CAF_TEST(events whose consumer somebody deleted stay here) {
  listen_with_held(2);
  audit_sees(0);
  redis.answer("keep", ids({1, 2}));
  pass(6s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 2 1-0 1 2-0 1");
  CAF_CHECK_EQUAL(news(), "consumer_deleted a 2-0 0");
  CAF_CHECK_EQUAL(info().consumers_deleted, 1u);
  CAF_CHECK_EQUAL(info().lost_leases, 0u);
  leases.owns({{1, 0}, {2, 0}});
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
}

CAF_TEST(events that vanished and that others have are dropped) {
  listen_with_held(2);
  audit_sees(1);
  leases.owns({{1, 0}});
  pass(6s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 2-0 1");
  CAF_CHECK_EQUAL(news(), "");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
  CAF_CHECK_EQUAL(info().held, 1u);
}

CAF_TEST(an event that another node had is claimed anew as well) {
  alice.hold();
  spawn_subscribed(1);
  redis.answer("take_over", taken({{1, "released"}}, entries(1, 1)));
  pass(1200ms);
  audit_sees(0);
  pass(5s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 2");
}

CAF_TEST(an event that was acknowledged meanwhile is not claimed anew) {
  alice.hold();
  spawn_subscribed(4);
  give(1, 1);
  audit_sees(0);
  leases.hold_updates();
  pass(5s);
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  leases.release_updates();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("keep"), "");
}

CAF_TEST(a claim whose reply is lost is not repeated but asked again) {
  listen_with_held(1);
  audit_sees(0);
  redis.lose("keep");
  pass(6s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 1");
  audit_sees(0);
  redis.answer("keep", ids({1}));
  pass(6s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 1");
  CAF_CHECK_EQUAL(info().held, 1u);
}

CAF_TEST(an event that fails after its consumer was deleted waits in Redis) {
  spawn_subscribed(1);
  alice.always_fail(caf::sec::runtime_error);
  redis.answer("delay", nobodys_delay({1}));
  redis.answer("keep", ids({1}));
  give(1, 1);
  consume_messages();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 100001");
  CAF_CHECK(calls("delay").find(" | ") != std::string::npos);
  CAF_CHECK_EQUAL(info().consumers_deleted, 1u);
}

CAF_TEST(an event that was never elsewhere is claimed anew at each attempt) {
  options.backoff = {1s};
  spawn_subscribed(1);
  alice.always_fail(caf::sec::runtime_error);
  give(1, 1);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("keep"), "");
  redis.answer("delay", nobodys_delay({1}));
  redis.answer("keep", ids({1}));
  pass(3s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 200002");
  CAF_CHECK_EQUAL(info().consumers_deleted, 1u);
}

CAF_TEST(an event that was elsewhere meanwhile is claimed anew as well) {
  options.backoff = {1s};
  spawn_subscribed(1);
  alice.always_fail(caf::sec::runtime_error);
  give(1, 1);
  pass(100ms);
  redis.answer("take_over", taken({{1, "delayed", 200'002}}, entries(1, 1)));
  redis.answer("delay", nobodys_delay({1}));
  redis.answer("keep", ids({1}));
  pass(3s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 300003");
}

CAF_TEST(a crash candidate whose consumer somebody deleted is claimed anew) {
  spawn_subscribed(1);
  redis.answer("take_over", taken({{1, "dead node"}}, entries(1, 1)));
  redis.answer("count", ids({}));
  redis.answer("keep", ids({1}));
  pass(1200ms);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 100020000000002");
  CAF_CHECK_EQUAL(alice.got(), "a1(2,0,1)");
  CAF_CHECK_EQUAL(info().consumers_deleted, 1u);
}

CAF_TEST(a crash candidate that another node took over is dropped) {
  spawn_subscribed(1);
  redis.answer("take_over", taken({{1, "dead node"}}, entries(1, 1)));
  redis.answer("count", ids({}));
  pass(1200ms);
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
}

CAF_TEST(an event that the sink may have given away is not claimed anew) {
  spawn_subscribed(1);
  alice.always_fail(caf::sec::runtime_error);
  redis.lose("delay"); // another node may get the event now, and acknowledge it
  redis.answer("delay", nobodys_delay({1}));
  give(1, 1);
  pass(1s);
  CAF_CHECK_EQUAL(calls("keep"), "");
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(a dead letter is written although the consumer was deleted) {
  spawn_subscribed(1);
  alice.always_fail(term("bad"));
  redis.answer("dead_letter", "*-1\r\n");
  redis.answer("keep", ids({1}));
  give(1, 1);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 1-0 1");
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
}

CAF_TEST(somebody deleted the consumer of the events that wait) {
  options.ack_wait = 1s;
  alice.hold();
  spawn_subscribed(1);
  listen();
  give(1, 1);
  pass(1100ms); // the event waits for its next attempt
  CAF_CHECK_EQUAL(calls("delay").substr(0, 24), "a s me 15000 1-0 100001 ");
  redis.answer("take_over", taken({}, entries(1, 0), 0, array_of(0), 3));
  pass(1s);
  CAF_CHECK_EQUAL(news(), "consumer_deleted a 1-0 0");
  CAF_CHECK_EQUAL(info().consumers_deleted, 1u);
  CAF_CHECK(logged("claimed 3 events anew that wait"));
}

CAF_TEST(a late ack is noted and takes the event from those that wait) {
  options.ack_wait = 1s;
  alice.hold();
  spawn_subscribed(1);
  give(1, 1);
  pass(1100ms);
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK(has_id(calls("ZADD"), "1-0"));
  CAF_CHECK_EQUAL(calls("ZREM"), "1-0");
  CAF_CHECK_EQUAL(calls("ZREMRANGEBYRANK"), "0 -10001");
  CAF_CHECK_EQUAL(calls("PEXPIRE"), "600000");
  pass(100ms);
  CAF_CHECK_EQUAL(info().acked, 1u);
}

CAF_TEST(an ack after the lease has lapsed is noted) {
  sleep_with_two();
  sleep(2s);
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK(has_id(calls("ZADD"), "1-0"));
}

CAF_TEST(an ack in time is not noted) {
  listen_with_held(2);
  next();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(calls("ZADD"), "");
  CAF_CHECK_EQUAL(calls("ZREM"), "");
}

CAF_TEST(the ack of an event that the filter does not want is not noted) {
  options.filter.topic = "other";
  spawn_subscribed();
  give(1, 2);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
  CAF_CHECK_EQUAL(calls("ZADD"), "");
  CAF_CHECK_EQUAL(calls("ZREM"), "");
}

CAF_TEST(a closing sink gives events back although somebody deleted it) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  redis.answer("release",
               array_of(5) + ":0\r\n:1\r\n" + ids({2}) + ids({}) + ":0\r\n");
  redis.answer("keep", ids({2}));
  auto closed = close();
  alice.finish();
  pass(2s);
  CAF_CHECK_EQUAL(calls("keep"), "a s me 0 1 2-0 0");
  CAF_CHECK_EQUAL(calls("release"), "a s me 15000 all 2-0 0 -1 | "
                                    "a s me 15000 all 2-0 0 -1");
  CAF_CHECK(closed->ok());
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
  leases.kept()[0]->clock->found_stale(1ns);
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
  leases.kept()[0]->clock->found_stale(1ns);
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
