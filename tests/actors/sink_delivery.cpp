#define CAF_SUITE actors.sink_delivery

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// First deliveries and acks.

namespace {

struct fixture : sink_actor_fixture {
  // Reply parts with the entries of one stream.
  static std::string list(uint64_t first, uint64_t last) {
    return entries(first, last);
  }

  // An entry without the field p.
  static std::string malformed(uint64_t ms) {
    return array_of(2) + bulk(to_string(event_id{ms, 0})) + array_of(2)
           + bulk("n") + bulk("n");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_delivery_tests, fixture)

CAF_TEST(a sink creates its groups and reads when somebody subscribes) {
  options.streams = {"a", "b"};
  options.start = start_position::oldest();
  spawn();
  CAF_CHECK_EQUAL(calls("open_group"), "a s 0 | b s 0");
  pass(2s);
  CAF_CHECK(!reads());
  CAF_CHECK_EQUAL(subscribe(alice), "none");
  // The sink does not know yet whether all streams have large events.
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 STREAMS a >");
  give_page(nothing);
  pass(10ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 STREAMS b >");
  give_page(nothing);
  pass(10ms);
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 STREAMS a b > >");
  CAF_CHECK_EQUAL(info().subscribers, 1u);
}

CAF_TEST(an event is acknowledged after its handler has returned) {
  alice.hold();
  spawn_subscribed();
  give(1, 2);
  pass(1s);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(calls("XACK"), "");
  CAF_CHECK_EQUAL(info().dispatched, 2u);
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(info().acked, 1u);
  CAF_CHECK_EQUAL(info().held, 1u);
}

CAF_TEST(first deliveries are made in stream order) {
  spawn_subscribed(3);
  give(1, 5);
  CAF_REQUIRE(reads());
  give(6, 7);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2 a3 a4 a5 a6 a7");
}

CAF_TEST(subscribers share the events in stream order) {
  alice.hold();
  bob.hold();
  spawn_subscribed(2);
  subscribe(bob, 2);
  give(1, 4);
  CAF_CHECK_EQUAL(alice.got() + ", " + bob.got(), "a1 a3, a2 a4");
}

CAF_TEST(an event contains the name of the sink and its counts) {
  event seen;
  auto looker = sys.spawn([&](event_listener::pointer) {
    return event_listener::behavior_type{[&](const event& x) { seen = x; }};
  });
  spawn();
  tell(caf::subscribe_atom_v, looker, subscription{});
  give(5, 5);
  CAF_CHECK_EQUAL(seen.sink(), "s");
  CAF_CHECK_EQUAL(seen.payload(), "p5");
  CAF_CHECK_EQUAL(seen.counts().deliveries, 1u);
  CAF_CHECK_EQUAL(seen.counts().failures, 0u);
}

CAF_TEST(acks are gathered while others are under way) {
  options.streams = {"a", "b"};
  alice.hold();
  spawn_subscribed();
  give_page(page({{"a", list(1, 3)}, {"b", list(1, 2)}}));
  redis.hold("XACK");
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  alice.finish(4);
  consume_messages();
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "");
  release("XACK");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 2-0 3-0 | b s 1-0 2-0");
  CAF_CHECK_EQUAL(info().acked, 5u);
}

CAF_TEST(an ack whose reply is lost is repeated until Redis took it) {
  spawn_subscribed();
  redis.lose("XACK");
  redis.refuse("XACK", "LOADING Redis is loading the dataset in memory");
  redis.lose("XACK", errc::timed_out);
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(info().acked, 0u);
  pass(10s);
  CAF_CHECK_EQUAL(calls("XACK"),
                  "a s 1-0 2-0 | a s 1-0 2-0 | a s 1-0 2-0 | a s 1-0 2-0");
  CAF_CHECK_EQUAL(info().acked, 2u);
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK(logged("Redis did not confirm acks"));
  CAF_CHECK(logged("acks are confirmed again"));
}

CAF_TEST(repeated acks are sent with pauses) {
  spawn_subscribed();
  give(1, 1);
  redis.goes_away();
  give(2, 2);
  redis.commands.clear_log();
  pass(20s);
  size_t attempts = 0;
  for (const auto& x : redis.kinds())
    attempts += x == "XACK" ? 1 : 0;
  CAF_CHECK_GREATER(attempts, 10u);
  CAF_CHECK_LESS(attempts, 30u);
}

CAF_TEST(an ack is dropped if the key is no stream any more) {
  spawn_subscribed();
  redis.refuse("XACK", "WRONGTYPE Operation against a key");
  give(1, 1);
  pass(5s);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(with ack none events are delivered at most once) {
  options.ack = ack_mode::none;
  alice.always_fail(make_error({errc::handler_failed, "no"}));
  spawn_subscribed();
  CAF_CHECK_EQUAL(read(), "GROUP s me COUNT 1 BLOCK 3750 NOACK STREAMS a >");
  give(1, 2);
  pass(60s);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(calls("XACK"), "");
  CAF_CHECK_EQUAL(calls("take_over"), "");
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK(logged("is lost, because ack is none"));
}

CAF_TEST(events that the filter does not want are acknowledged at once) {
  options.filter.topic = "big";
  alice.hold();
  spawn_subscribed();
  give_page(page({{"a", array_of(3) + entry(1, "small") + entry(2, "big")
                          + entry(3, "small")}}));
  CAF_CHECK_EQUAL(alice.got(), "a2");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 3-0");
  CAF_CHECK_EQUAL(info().filtered, 2u);
  CAF_CHECK_EQUAL(info().acked, 0u);
}

CAF_TEST(a malformed entry becomes a dead letter and the others go on) {
  spawn_subscribed();
  give_page(page({{"a", array_of(2) + malformed(1) + entry(2)}}));
  CAF_CHECK_EQUAL(alice.got(), "a2");
  CAF_CHECK_EQUAL(info().malformed, 1u);
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  const auto letter = calls("dead_letter");
  CAF_CHECK(letter.find("x-id 1-0") != std::string::npos);
  CAF_CHECK(letter.find("x-reason malformed") != std::string::npos);
}

CAF_TEST(a handler that returns a value acknowledges its event) {
  auto odd = sys.spawn([](caf::event_based_actor*) {
    return caf::behavior{[](const event&) { return 42; }};
  });
  spawn();
  tell(caf::subscribe_atom_v, caf::actor_cast<event_listener>(odd),
       subscription{});
  give(1, 1);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(info().nacks, 0u);
}

CAF_TEST(a read that fails is repeated with pauses) {
  spawn_subscribed();
  for (int i = 0; i < 20; ++i) {
    CAF_REQUIRE(reads());
    lose_read();
    pass(2s);
  }
  CAF_CHECK_EQUAL(info().read_failures, 20u);
  lose_read();
  CAF_CHECK(!reads());
  pass(1s);
  CAF_CHECK(!reads());
  pass(1s);
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK(logged("reads again"));
}

CAF_TEST(acks that Redis refuses do not hold up those of other streams) {
  options.streams = {"a", "b"};
  spawn_subscribed(1);
  for (int i = 0; i < 2; ++i)
    redis.refuse("XACK", "NOPERM this user has no permissions");
  give(1, 3, "b");
  CAF_CHECK_EQUAL(alice.got(), "b1 b2 b3");
  CAF_CHECK_EQUAL(info().acked, 0u);
  give(1, 3, "a");
  CAF_CHECK_EQUAL(alice.got(), "a1 a2 a3");
  CAF_CHECK_EQUAL(info().acked, 3u);
  CAF_CHECK(logged("Redis did not confirm acks of some streams"));
  pass(2s);
  CAF_CHECK_EQUAL(info().acked, 6u);
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
