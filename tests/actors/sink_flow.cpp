#define CAF_SUITE actors.sink_flow

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// How many events a sink reads, and how many each subscriber gets.

namespace {

using fixture = sink_actor_fixture;

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_flow_tests, fixture)

CAF_TEST(a sink asks for twice what its subscribers can work on) {
  spawn_subscribed(5);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a >");
  give(1, 1);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 8 BLOCK 3750 STREAMS a >");
  give(2, 9);
  // Three of the eight are not acknowledged yet.
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 7 BLOCK 3750 STREAMS a >");
}

CAF_TEST(a subscriber holds no more events than its credit) {
  alice.hold();
  spawn_subscribed(2);
  give(1, 4);
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a3");
  CAF_CHECK_EQUAL(info().dispatched, 2u);
}

CAF_TEST(nothing is read while subscribers have enough) {
  alice.hold();
  spawn_subscribed(2);
  give(1, 4);
  pass(5s);
  CAF_CHECK(!reads());
  alice.finish();
  pass(5s);
  CAF_CHECK(!reads());
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 2 BLOCK 3750 STREAMS a >");
}

CAF_TEST(a sink never holds more than max_in_flight) {
  options.max_in_flight = 3;
  spawn_subscribed(8);
  give(1, 1);
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  alice.hold();
  give_page(nothing);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 3 BLOCK 3750 STREAMS a >");
  give(2, 4);
  pass(5s);
  CAF_CHECK(!reads());
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a >");
}

CAF_TEST(a sink holds a limited number of bytes) {
  options.max_in_flight_bytes = 1'000;
  alice.hold();
  spawn_subscribed(8);
  const auto large = [](uint64_t n) {
    return page(
      {{"a", array_of(1) + array_of(2) + bulk(to_string(event_id{n, 0}))
               + array_of(4) + bulk("n") + bulk("x") + bulk("p")
               + bulk(std::string(500, 'x'))}});
  };
  give_page(large(1));
  pass(5s);
  CAF_CHECK(!reads());
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a >");
}

CAF_TEST(an event that is greater than the bound is delivered alone) {
  options.max_in_flight_bytes = 1;
  alice.hold();
  spawn_subscribed(8);
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(5s);
  CAF_CHECK(!reads());
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a >");
  give(2, 2);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(unconfirmed acks count for max_in_flight) {
  options.max_in_flight = 4;
  spawn_subscribed();
  redis.goes_away();
  give(1, 4);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2 a3 a4");
  pass(5s);
  CAF_CHECK(!reads());
  redis.comes_back();
  pass(2s);
  CAF_CHECK(reads());
}

CAF_TEST(events that wait for their next attempt do not stop others) {
  options.max_in_flight = 8;
  options.backoff = {1h};
  alice.always_fail(make_error({errc::handler_failed, "no"}));
  spawn_subscribed(2);
  for (uint64_t n = 1; n <= 100; n += 4) {
    pass(100ms);
    CAF_REQUIRE(reads());
    give(n, n + 3);
  }
  CAF_CHECK_EQUAL(info().waiting, 100u);
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK(reads());
}

CAF_TEST(very many failures are reported once) {
  options.backoff = {1h};
  alice.always_fail(make_error({errc::handler_failed, "no"}));
  spawn_subscribed(400);
  listen();
  for (uint64_t n = 1; n <= 1'600; n += 400) {
    CAF_CHECK_EQUAL(news(), n == 1'201 ? "many_failures a 0-0 0" : "");
    give(n, n + 399);
    pass(100ms);
  }
  CAF_CHECK_EQUAL(news(), "");
  CAF_CHECK_EQUAL(info().waiting, 1'600u);
}

CAF_TEST(what a node without subscribers has not begun goes back at once) {
  alice.hold();
  spawn_subscribed(2);
  give(1, 3);
  CAF_CHECK_EQUAL(calls("delay"), "");
  CAF_CHECK(unsubscribe(alice));
  CAF_CHECK_EQUAL(calls("delay"), "a s me 15000 3-0 0 -1");
  alice.finish(2);
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(what goes back keeps its counts though the reply is lost) {
  alice.hold();
  spawn_subscribed(2);
  give(1, 2);
  redis.lose("delay");
  alice.die();
  consume_messages();
  CAF_CHECK_EQUAL(info().held, 2u);
  pass(2s); // it is repeated
  CAF_CHECK_EQUAL(info().held, 0u);
  subscribe(bob);
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1) a2(2,0,0)");
}

CAF_TEST(a read that nobody needs any more is interrupted) {
  spawn_subscribed();
  redis.blocking().set_unblock_answer({}); // Redis misses the request
  CAF_CHECK(unsubscribe(alice));
  CAF_CHECK_EQUAL(redis.blocking().unblocks(), 1u);
  give(1, 2); // what it still brings goes back
  CAF_CHECK_EQUAL(calls("delay"), "a s me 15000 1-0 0 -1 2-0 0 -1");
  CAF_CHECK(!reads());
}

CAF_TEST(subscribing again changes the credit) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(subscribe(alice, 2), "none");
  CAF_CHECK_EQUAL(alice.got(), "a2");
  CAF_CHECK_EQUAL(info().subscribers, 1u);
}

CAF_TEST(a subscriber that unsubscribes may finish its events) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  CAF_CHECK(unsubscribe(alice));
  CAF_CHECK(!unsubscribe(alice));
  alice.finish();
  consume_messages();
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK(!reads());
  CAF_CHECK_EQUAL(subscribe(bob), "none");
  CAF_CHECK_EQUAL(bob.got(), "a2");
}

CAF_TEST(a dead subscriber is refused) {
  spawn();
  alice.die();
  consume_messages();
  const auto why = subscribe(alice);
  CAF_CHECK(why.find("no_such_subscriber") == 0);
  CAF_CHECK_EQUAL(info().subscribers, 0u);
}

CAF_TEST(keyed dispatch gives one event of a topic at a time) {
  options.dispatch = dispatch_mode::keyed;
  alice.hold();
  spawn_subscribed();
  give_page(page({{"a", array_of(4) + entry(1, "x") + entry(2, "x")
                          + entry(3, "y") + entry(4, "x")}}));
  CAF_CHECK_EQUAL(alice.got(), "a1 a3");
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a2");
  alice.finish(2);
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a4");
}

CAF_TEST(keyed dispatch keeps the order of a topic when its event fails) {
  options.dispatch = dispatch_mode::keyed;
  options.backoff = {1s};
  alice.hold();
  spawn_subscribed();
  give_page(page({{"a", array_of(2) + entry(1, "x") + entry(2, "x")}}));
  alice.fail(make_error({errc::handler_failed, "no"}));
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,1,0)");
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(a keyed sink with very many parked events reads no more) {
  options.dispatch = dispatch_mode::keyed;
  options.max_in_flight = 4;
  options.backoff = {1h};
  alice.always_fail(make_error({errc::handler_failed, "no"}));
  spawn_subscribed(4);
  for (uint64_t n = 1; n <= 40; ++n) {
    pass(100ms);
    CAF_REQUIRE(reads());
    CAF_CHECK(!logged("reads no new events"));
    give_page(page({{"a", array_of(1) + entry(n, "x")}}));
  }
  pass(100ms);
  CAF_CHECK(logged("40 events wait here: they failed, or are behind failed"));
  CAF_CHECK(!reads());
  CAF_CHECK_EQUAL(info().held, 40u);
  CAF_CHECK_EQUAL(info().waiting, 40u);
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

CAF_TEST(keyed dispatch gives the same topic to the same subscriber) {
  options.dispatch = dispatch_mode::keyed;
  spawn_subscribed();
  subscribe(bob);
  std::string first;
  for (uint64_t n = 1; n <= 10; ++n) {
    give_page(page({{"a", array_of(1) + entry(n, "x")}}));
    const auto who = alice.got().empty() ? "bob" : "alice";
    first = first.empty() ? who : first;
    CAF_CHECK_EQUAL(first, who);
    bob.got();
  }
}

CAF_TEST(broadcast acknowledges when all subscribers have returned) {
  options.dispatch = dispatch_mode::broadcast;
  bob.hold();
  spawn_subscribed();
  subscribe(bob);
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got() + " " + bob.got(), "a1 a1");
  CAF_CHECK_EQUAL(calls("XACK"), "");
  bob.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
}

CAF_TEST(broadcast repeats only for the subscriber that failed) {
  options.dispatch = dispatch_mode::broadcast;
  options.backoff = {1s};
  bob.hold();
  spawn_subscribed();
  subscribe(bob);
  give(1, 1);
  alice.got();
  bob.fail(make_error({errc::handler_failed, "no"}));
  bob.got();
  pass(2s);
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK_EQUAL(bob.got(), "a1(2,1,0)");
}

CAF_TEST(a supervisor is told about subscribers and listeners) {
  std::string told;
  supervision supervisor;
  supervisor.subscribed = [&](const event_listener& who,
                              const std::optional<subscription>& how) {
    told += who == alice.handle() ? " alice" : " bob";
    told += how ? std::to_string(how->credit) : " left";
  };
  supervisor.listens = [&](const notice_listener&, bool comes) {
    told += comes ? " listens" : " listens no more";
  };
  spawn(supervisor);
  subscribe(alice, 3);
  subscribe(bob);
  listen();
  unsubscribe(alice);
  auto gone = ask<bool>(uut, caf::unsubscribe_atom_v, heard);
  consume_messages();
  CAF_CHECK(gone->ok() && gone->value);
  CAF_CHECK_EQUAL(told, " alice3 bob0 listens alice left listens no more");
}

CAF_TEST(sinks with the same environment act the same) {
  spawn();
  const auto first = consumer;
  const auto opened = redis.commands.log();
  close();
  redis.commands.clear_log();
  random.seed();
  spawn();
  CAF_CHECK_EQUAL(first, consumer);
  CAF_CHECK(opened == redis.commands.log());
}

CAF_TEST_FIXTURE_SCOPE_END()
