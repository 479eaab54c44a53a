#define CAF_SUITE actors.sink_recovery

#include "support/pending_replies.hpp"
#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Events that a sink does not get by a read of new events: its own pending
// events after a lost connection, and the events of dead nodes.

namespace {

struct fixture : sink_actor_fixture {
  // Returns whether a command of kind `a` arrived before all those of kind `b`.
  [[nodiscard]] bool is_before(const std::string& a, const std::string& b) {
    const auto all = redis.kinds();
    const auto first = std::find(all.begin(), all.end(), a);
    return first != all.end() && first < std::find(all.begin(), all.end(), b);
  }

  // Sets what the next claim finds.
  void sweep_finds(const std::vector<pending_fact>& facts,
                   const std::string& list, uint64_t trimmed = 0) {
    redis.answer("take_over", taken(facts, list, trimmed));
    pass(1200ms);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_recovery_tests, fixture)

// -- own pending entries ------------------------------------------------------

CAF_TEST(after a lost read the sink reads its own pending events) {
  spawn_subscribed();
  redis.answer("XPENDING", pending({{1, "me"}, {2, "me"}}));
  redis.answer("XREADGROUP", page("a", 1, 1));
  redis.answer("XREADGROUP", page("a", 2, 2));
  lose_read();
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(info().adopted, 2u);
  CAF_CHECK_EQUAL(calls("XPENDING"), "a s (0-0 + 500 me | a s (2-0 + 500 me");
  CAF_CHECK_EQUAL(calls("XREADGROUP"), "GROUP s me COUNT 1 STREAMS a 0-0 | "
                                       "GROUP s me COUNT 1 STREAMS a 1-0");
  CAF_CHECK(reads());
}

CAF_TEST(an own event whose counts are not known is read again) {
  spawn_subscribed();
  redis.answer("XPENDING", pending({{2, "me"}}));
  // It became pending after XPENDING was executed.
  redis.answer("XREADGROUP", page("a", 1, 1));
  lose_read();
  redis.answer("XPENDING", pending({{1, "me", 300'003}}));
  redis.answer("XREADGROUP", page("a", 1, 1));
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1(3,3,0)");
  CAF_CHECK_EQUAL(info().adopted, 1u);
}

CAF_TEST(own pending events are read after the acks that were sent) {
  spawn_subscribed();
  redis.hold("XACK");
  give(1, 1);
  redis.answer("XPENDING", pending({{2, "me"}}));
  lose_read();
  pass(500ms);
  CAF_CHECK(is_before("XACK", "XPENDING"));
  CAF_CHECK_EQUAL(info().acked, 0u);
  release("XACK");
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().acked, 1u);
}

CAF_TEST(a pending event that the sink holds is not delivered again) {
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  redis.answer("XPENDING", pending({{1, "me"}, {2, "me"}}));
  redis.answer("XREADGROUP", page("a", 2, 2));
  lose_read();
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(info().adopted, 1u);
  CAF_CHECK_EQUAL(calls("XREADGROUP"), "GROUP s me COUNT 1 STREAMS a 1-0");
  // Redis counted the read as a delivery, so the sink corrects the counter.
  CAF_CHECK_EQUAL(calls("count"), "a s me 1-0 " + packed({1, 0, 0}) + " -1 2-0 "
                                    + packed({1, 0, 0}) + " -1");
}

CAF_TEST(own pending events that were trimmed are acknowledged and reported) {
  spawn_subscribed();
  listen();
  redis.answer("XPENDING", pending({{7, "me"}}));
  redis.answer("XREADGROUP", page({{"a", array_of(1) + array_of(2) + bulk("7-0")
                                           + nothing}}));
  lose_read();
  pass(500ms);
  CAF_CHECK_EQUAL(news(), "gap a 6-18446744073709551615 loss 1");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 7-0");
  CAF_CHECK_EQUAL(info().trimmed, 1u);
}

CAF_TEST(a reply that has a stream nobody asked for delivers nothing) {
  spawn_subscribed();
  give_page(page({{"a", entries(1, 1)}, {"other", entries(2, 2)}}));
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK(logged("protocol_error: unexpected reply to XREADGROUP"));
  // The event is pending for this sink, and read again.
  redis.answer("XPENDING", pending({{1, "me"}}));
  redis.answer("XREADGROUP", page({{"a", entries(1, 1)}, //
                                   {"other", entries(2, 2)}}));
  pass(150ms);
  CAF_CHECK_EQUAL(alice.got(), "");
  own_events_are(1, 1);
  pass(3s);
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

// -- entries of other nodes ---------------------------------------------------

CAF_TEST(a sink claims idle events and no more than it can take) {
  options.lease = 9s;
  spawn_subscribed(4);
  give(1, 1); // as long as it got none it asks for one event
  calls("take_over");
  pass(1200ms);
  CAF_CHECK_EQUAL(calls("take_over").substr(0, 13), "a s me 9000 8");
}

CAF_TEST(events that a node gave back are delivered at once) {
  spawn_subscribed();
  sweep_finds({{1, "released", 1}}, entries(1, 1));
  CAF_CHECK_EQUAL(alice.got(), "a1(2,0,0)");
  CAF_CHECK_EQUAL(calls("count"), "");
  CAF_CHECK_EQUAL(info().taken_over, 1u);
}

CAF_TEST(an event of a dead node is marked before a worker gets it) {
  spawn_subscribed();
  redis.hold("count");
  sweep_finds({{1, "dead", 1}}, entries(1, 1));
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK_EQUAL(calls("count"),
                  "a s me 1-0 " + packed({2, 0, 2}, true) + " -1");
  release("count");
  CAF_CHECK_EQUAL(alice.got(), "a1(2,0,1)");
}

// Its node stored the failure with the end of the pause, and nobody worked on
// the event after that.
CAF_TEST(an event whose node died during its pause waits on and is not blamed) {
  options.dispatch = dispatch_mode::broadcast;
  spawn_subscribed();
  redis.answer("take_over", taken({{1, "dead", 100'001}, {2, "dead", 100'001}},
                                  entries(1, 2), 0,
                                  array_of(4) + bulk("1-0") + ":3000\r\n"
                                    + bulk("2-0") + ":0\r\n"));
  pass(1200ms);
  CAF_CHECK_EQUAL(alice.got(), "a2(2,1,0)");
  pass(2s);
  CAF_CHECK_EQUAL(alice.got(), "");
  pass(1500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,1,0)");
  // From now on the event can be blamed.
  CAF_CHECK_EQUAL(calls("count"), "a s me 1-0 " + packed({2, 1, 0}) + " -1");
}

CAF_TEST(a failure is stored with its pause where the event stays at its node) {
  options.dispatch = dispatch_mode::broadcast;
  options.backoff = {8s};
  spawn_subscribed();
  alice.always_fail(make_error({errc::handler_failed, "no"}));
  give(1, 1);
  const auto stored = calls("count");
  CAF_CHECK_EQUAL(stored.rfind("a s me 1-0 " + packed({1, 1, 0}) + " ", 0), 0u);
  CAF_CHECK(std::stoll(stored.substr(stored.rfind(' '))) >= 5'000);
}

CAF_TEST(a mark whose reply is lost is repeated) {
  spawn_subscribed();
  redis.lose("count");
  sweep_finds({{1, "dead", 1}}, entries(1, 1));
  pass(1s);
  const auto mark = "a s me 1-0 " + packed({2, 0, 2}, true) + " -1";
  CAF_CHECK_EQUAL(calls("count"), mark + " | " + mark);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,0,1)");
}

CAF_TEST(an event that another node took before its mark is dropped) {
  spawn_subscribed();
  redis.answer("count", array_of(0));
  sweep_finds({{1, "dead", 1}}, entries(1, 1));
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(events that one more crash makes dead letters run one at a time) {
  alice.hold();
  spawn_subscribed();
  const auto once = pack({1, 0, 1});
  sweep_finds({{1, "dead", once}, {2, "dead", once}}, entries(1, 2));
  CAF_CHECK_EQUAL(alice.got(), "a1(2,0,2)");
  alice.finish();
  pass(100ms);
  CAF_CHECK_EQUAL(alice.got(), "a2(2,0,2)");
}

CAF_TEST(an event that killed max_crashes nodes gets no further worker) {
  spawn_subscribed();
  sweep_finds({{1, "dead", pack({3, 0, 3}, true)}}, entries(1, 1));
  CAF_CHECK_EQUAL(alice.got(), "");
  const auto letter = calls("dead_letter");
  CAF_CHECK(letter.find("died 3 times") != std::string::npos);
  CAF_CHECK(letter.find("x-crashes 3") != std::string::npos);
}

CAF_TEST(an event that failed max_deliveries times gets no worker) {
  options.max_deliveries = 4;
  spawn_subscribed();
  sweep_finds({{1, "dead", pack({9, 4, 0})}}, entries(1, 1));
  CAF_CHECK_EQUAL(alice.got(), "");
  CAF_CHECK(calls("dead_letter").find("gave up after 4 failures")
            != std::string::npos);
}

CAF_TEST(events of a dead node that were trimmed are reported) {
  spawn_subscribed();
  listen();
  sweep_finds({{1, "released", 1}, {2, "released", 1}}, entries(2, 2), 1);
  CAF_CHECK_EQUAL(news(), "gap a 0-18446744073709551615 loss 1");
  CAF_CHECK_EQUAL(info().trimmed, 1u);
  CAF_CHECK_EQUAL(alice.got(), "a2(2,0,0)");
}

CAF_TEST(after a lost claim the sink reads its own pending events) {
  spawn_subscribed();
  calls("take_over");
  redis.lose("take_over");
  pass(1200ms);
  own_events_are(1, 1);
  give_page(nothing);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().adopted, 1u);
}

CAF_TEST(a sweep whose reply came late does not delay the next one) {
  spawn_subscribed();
  pass(5s);
  redis.hold("take_over");
  pass(3s); // a sweep is under way, and Redis stands still
  calls("take_over");
  release("take_over");
  pass(1300ms); // the interval is 1 s
  CAF_CHECK_NOT_EQUAL(calls("take_over"), "");
}

CAF_TEST(sweeps of many streams that take long leave Redis time) {
  options.streams.clear();
  for (int i = 0; i < 700; ++i)
    options.streams.push_back("s" + std::to_string(i));
  spawn_subscribed();
  pass(20s);
  redis.hold("take_over");
  pass(3s);
  calls("take_over");
  release("take_over");
  pass(1s);
  CAF_CHECK_NOT_EQUAL(calls("take_over"), ""); // the rest of the round
  pass(4500ms);
  CAF_CHECK_EQUAL(calls("take_over"), "");
  pass(3s); // 10 ms for each stream
  CAF_CHECK_NOT_EQUAL(calls("take_over"), "");
}

CAF_TEST(after an outage no events are taken over for one lease) {
  options.lease = 6s;
  spawn_subscribed();
  redis.goes_away();
  pass(10s);
  redis.comes_back();
  give_page(nothing); // the blocked read ends
  calls("take_over");
  pass(5s);
  CAF_CHECK_EQUAL(calls("take_over"), "");
  pass(6s);
  CAF_CHECK(calls("take_over") != "");
}

CAF_TEST_FIXTURE_SCOPE_END()
