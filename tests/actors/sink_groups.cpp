#define CAF_SUITE actors.sink_groups

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// How a sink creates its consumer groups, and creates them again when they
// vanish.

namespace {

constexpr auto no_group = "-NOGROUP No such key or consumer group\r\n";

struct fixture : sink_actor_fixture {
  size_t creations() {
    const auto all = calls("create_group");
    size_t result = all.empty() ? 0 : 1;
    for (auto i = all.find(" | "); i != std::string::npos;
         i = all.find(" | ", i + 1))
      ++result;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_groups_tests, fixture)

CAF_TEST(a group that exists keeps its position) {
  redis.answer("open_group",
               array_of(3) + bulk("") + bulk("7-0") + bulk("6-0"));
  options.start = start_position::after({5, 0});
  spawn_subscribed();
  CAF_CHECK_EQUAL(calls("open_group"), "a s 5-0");
  CAF_CHECK(reads());
}

CAF_TEST(a group that was deleted while nodes used it begins where it was) {
  redis.hold("open_group");
  redis.answer("open_group",
               array_of(3) + bulk("5-0") + bulk("5-0") + bulk(""));
  spawn();
  listen();
  release("open_group");
  CAF_CHECK_EQUAL(news(), "group_recovered a 5-0 0");
  CAF_CHECK_EQUAL(info().groups_recovered, 1u);
}

CAF_TEST(newest is the end of the stream when the group is created) {
  spawn();
  CAF_CHECK_EQUAL(calls("open_group"), "a s $");
}

CAF_TEST(a subscription fails with the reason why there is no group) {
  redis.refuse("open_group", "WRONGTYPE Operation against a key");
  spawn();
  CAF_CHECK_EQUAL(subscribe(alice),
                  "wrong_type: sink s on stream a: WRONGTYPE Operation against "
                  "a key (the key holds no stream: use another name)");
}

CAF_TEST(a subscription waits for the answer of Redis) {
  redis.hold("open_group");
  spawn();
  auto answer = ask_void(uut, caf::subscribe_atom_v, alice.handle(),
                         subscription{});
  consume_messages();
  CAF_CHECK_EQUAL(answer->why(), "no answer");
  release("open_group");
  CAF_CHECK_EQUAL(answer->why(), "none");
}

CAF_TEST(groups are tried again while Redis is away and then it reads) {
  redis.goes_away();
  spawn();
  CAF_CHECK_EQUAL(subscribe(alice).substr(0, 15), "connect_failed:");
  pass(10s);
  redis.comes_back();
  pass(2s);
  CAF_CHECK_EQUAL(subscribe(alice), "none");
  CAF_CHECK(reads());
}

CAF_TEST(a lost group begins again before all unacknowledged events) {
  alice.hold();
  spawn_subscribed();
  listen();
  give(4, 6);
  alice.finish();
  consume_messages();
  redis.answer("create_group", ":2\r\n"); // nobody else has read events
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"),
                  "a s 0-0 1 2000000 1000000-0 0-0 6-0 3 "
                  "4-18446744073709551615");
  CAF_CHECK_EQUAL(news(), "group_recovered a 4-18446744073709551615 0");
  CAF_CHECK_EQUAL(info().groups_recovered, 1u);
  CAF_CHECK(reads());
}

CAF_TEST(a lost group begins before what new members may have read) {
  spawn_subscribed();
  listen();
  give(4, 6);
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"),
                  "a s 0-0 1 2000000 1000000-0 0-0 6-0 3 6-0");
  CAF_CHECK_EQUAL(news(), "group_recovered a 0-0 0");
}

CAF_TEST(a lost group begins before the events of other members) {
  spawn_subscribed();
  give(4, 6);
  // The audit finds that another member may hold events after 2-0.
  audit_facts found;
  found.others = "(2-0";
  found.at_ms = 2;
  redis.answer("audit", audit_reply(found));
  pass(7s);
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"), "a s 2-0 1 2000000 1000000-0");
}

// A reply was lost, and the group vanishes before the sink knows its events.
CAF_TEST(a group begins again before events that the sink could not read) {
  spawn_subscribed();
  give(4, 6);
  audit_facts found;
  found.at_ms = 8;
  found.own_from = "3-0";
  redis.answer("audit", audit_reply(found));
  pass(7s);
  redis.refuse("XPENDING", "LOADING as told");
  lose_read();
  redis.refuse("XREADGROUP", "NOGROUP No such key");
  redis.answer("XPENDING", "-NOGROUP No such key\r\n");
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group").substr(0, 28),
                  "a s 2-18446744073709551615 1");
}

// All that Redis says is that the group is missing. Events of the stream tell
// whether the stream was deleted as well.
CAF_TEST(a stream that began anew is read from its beginning) {
  spawn_subscribed();
  listen();
  give(7, 9);
  redis.answer("XINFO STREAM", facts_of(2, 2, 1, 2)); // lower IDs
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"), "a s 0-0 0 2 2-0");
  CAF_CHECK_EQUAL(news(), "stream_reset a 0-0 loss 0");
  CAF_CHECK_EQUAL(info().stream_resets, 1u);
  CAF_CHECK(reads());
}

CAF_TEST(a stream that was deleted and has higher IDs now is a new one) {
  spawn_subscribed();
  listen();
  give(7, 9);
  redis.answer("XINFO STREAM", facts_of(5, 5, 2'000'000, 2'000'005));
  redis.answer("XRANGE", array_of(0));
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"), "a s 0-0 0 5 2000005-0");
  CAF_CHECK_EQUAL(news(), "stream_reset a 0-0 loss 0");
}

CAF_TEST(a new stream that reached the same IDs has other events) {
  spawn_subscribed();
  listen();
  give(7, 9);
  redis.answer("XRANGE", array_of(1) + array_of(2) + bulk("9-0") + array_of(4)
                           + bulk("n") + bulk("n") + bulk("p")
                           + bulk("another payload"));
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"), "a s 0-0 0 2000000 1000000-0");
  CAF_CHECK_EQUAL(news(), "stream_reset a 0-0 loss 0");
}

CAF_TEST(
  a stream that is deleted while its group is created is looked at again) {
  spawn_subscribed();
  listen();
  give(7, 9);
  redis.answer("create_group", ":0\r\n");
  redis.answer("XINFO STREAM", facts_of(2'000'000, 2'000'000, 1, 1'000'000));
  redis.answer("XINFO STREAM", no_such_key);
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("create_group"),
                  "a s 0-0 1 2000000 1000000-0 0-0 9-0 3 9-0 | "
                  "a s 0-0 0 0 0-0");
  CAF_CHECK_EQUAL(news(), "stream_reset a 0-0 loss 0");
}

CAF_TEST(a group that vanishes again and again is created with pauses) {
  spawn_subscribed();
  for (int i = 0; i < 600; ++i) {
    if (reads())
      give_page(no_group);
    pass(100ms);
  }
  const auto n = creations();
  CAF_CHECK(n >= 10);
  CAF_CHECK(n <= 90); // 60 s, pauses of up to 1.5 s
}

CAF_TEST(one stream without a group does not stop the others) {
  options.streams = {"a", "b"};
  spawn_subscribed();
  give(1, 1);
  redis.answer("XINFO STREAM", facts(1));
  for (int i = 0; i < 30; ++i)
    redis.refuse("XINFO STREAM", "WRONGTYPE Operation against a key");
  give_page(wrong_type);
  pass(3s);
  CAF_CHECK(reads());
  CAF_CHECK(logged("sink s on stream b: WRONGTYPE"));
  CAF_CHECK(read().find(" STREAMS a >") != std::string::npos);
  give(2, 2);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
}

// -- audits -------------------------------------------------------------------

CAF_TEST(events that were trimmed before the sink read them are reported) {
  spawn_subscribed();
  listen();
  audit_facts found;
  found.length = 1'000'000;
  found.first_ms = 6;
  found.at_ms = 1;
  found.read = 999'996;
  found.passed = 1'000'000;
  found.corrected = true;
  redis.answer("audit", audit_reply(found));
  pass(7s);
  CAF_CHECK_EQUAL(news(), "gap a 1-0 loss 4");
  CAF_CHECK_EQUAL(info().lost, 4u);
}

CAF_TEST(a balanced sink says that other members are keyed) {
  spawn_subscribed();
  audit_facts found;
  found.keyed = 2;
  redis.answer("audit", audit_reply(found));
  pass(7s);
  CAF_CHECK(logged("2 other members of this sink have dispatch = keyed, and "
                   "this one has balanced"));
}

// The audit and the read use two connections, so the reply to a read of newer
// events may arrive before the reply to the audit.
CAF_TEST(an audit is compared with what the sink knew when it asked) {
  spawn_subscribed();
  listen();
  give(999'999, 1'000'000);
  redis.hold("audit");
  pass(7s);
  give(1'000'001, 1'000'003);
  redis.release("audit");
  consume_messages();
  CAF_CHECK_EQUAL(news(), "");
  CAF_CHECK_EQUAL(info().stream_resets, 0u);
}

CAF_TEST(a stream that lost its last events is reported) {
  spawn_subscribed();
  listen();
  give(1'000'000, 1'000'003);
  audit_facts older;
  older.at_ms = 1'000'000;
  redis.answer("audit", audit_reply(older));
  pass(7s);
  CAF_CHECK_EQUAL(news(), "stream_reset a 1000000-0 loss 0");
}

CAF_TEST(a sink that is moved forwards by somebody reports that) {
  spawn_subscribed();
  listen();
  pass(7s); // now Redis has stored a count
  audit_facts found;
  found.at_ms = 500;
  found.read = -1;
  redis.answer("audit", audit_reply(found));
  pass(7s);
  CAF_CHECK_EQUAL(news(), "gap a 0-0 loss 2000000");
}

CAF_TEST_FIXTURE_SCOPE_END()
