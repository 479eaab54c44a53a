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
    const auto all = calls("XGROUP CREATE");
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
  redis.refuse("XGROUP CREATE", "BUSYGROUP Consumer Group name already exists");
  options.start = start_position::after({5, 0});
  spawn_subscribed();
  CAF_CHECK_EQUAL(calls("XGROUP CREATE"), "CREATE a s 5-0 MKSTREAM");
  CAF_CHECK(reads());
}

CAF_TEST(newest is the end of the stream when the group is created) {
  spawn();
  CAF_CHECK_EQUAL(calls("XGROUP CREATE"), "CREATE a s $ MKSTREAM");
}

CAF_TEST(a subscription fails with the reason why there is no group) {
  redis.refuse("XGROUP CREATE", "WRONGTYPE Operation against a key");
  spawn();
  CAF_CHECK_EQUAL(subscribe(alice).substr(0, 11), "wrong_type:");
}

CAF_TEST(a subscription waits for the answer of Redis) {
  redis.hold("XGROUP CREATE");
  spawn();
  auto answer = ask_void(uut, caf::subscribe_atom_v, alice.handle(),
                         subscription{});
  consume_messages();
  CAF_CHECK_EQUAL(answer->why(), "no answer");
  release("XGROUP CREATE");
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
  calls("XGROUP CREATE");
  give(4, 6);
  alice.finish();
  consume_messages();
  redis.answer("XINFO STREAM", facts(6));
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("XGROUP CREATE"),
                  "CREATE a s 4-18446744073709551615 MKSTREAM");
  CAF_CHECK_EQUAL(news(), "group_recovered a 4-18446744073709551615 0");
  CAF_CHECK_EQUAL(info().groups_recovered, 1u);
  CAF_CHECK(reads());
}

CAF_TEST(a lost group begins before the events of other members) {
  spawn_subscribed();
  give(4, 6);
  // The audit finds that another member may hold events after 2-0.
  redis.answer("audit", array_of(7) + ":0\r\n" + bulk("0") + ":0\r\n"
                          + bulk("6-0") + bulk("1-0") + bulk("6-0")
                          + bulk("(2-0"));
  pass(7s);
  calls("XGROUP CREATE");
  redis.answer("XINFO STREAM", facts(6));
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("XGROUP CREATE"), "CREATE a s 2-0 MKSTREAM");
}

CAF_TEST(a stream that began anew is read from its beginning) {
  spawn_subscribed();
  listen();
  give(7, 9);
  redis.answer("XINFO STREAM", facts(2)); // IDs below what was read
  give_page(no_group);
  pass(3s);
  CAF_CHECK_EQUAL(calls("XGROUP SETID"), "SETID a s 0");
  CAF_CHECK_EQUAL(news(), "stream_reset a 0-0 loss 0");
  CAF_CHECK_EQUAL(info().stream_resets, 1u);
  CAF_CHECK(reads());
}

CAF_TEST(a group that vanishes again and again is created with pauses) {
  spawn_subscribed();
  calls("XGROUP CREATE");
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
  redis.refuse("XGROUP CREATE", "WRONGTYPE Operation against a key");
  give_page(wrong_type);
  pass(3s);
  CAF_CHECK(reads());
  give(2, 2, "b");
  CAF_CHECK_EQUAL(alice.got(), "a1 b2");
}

CAF_TEST(events that were trimmed before the sink read them are reported) {
  spawn_subscribed();
  listen();
  redis.answer("audit", array_of(7) + ":4\r\n" + bulk("1") + ":4\r\n"
                          + bulk("1-0") + bulk("6-0") + bulk("9-0") + bulk(""));
  pass(7s);
  CAF_CHECK_EQUAL(news(), "gap a 1-0 loss 4");
  CAF_CHECK_EQUAL(info().lost, 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()
