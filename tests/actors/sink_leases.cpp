#define CAF_SUITE actors.sink_leases

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// A node that stood still may have lost its events to others: it asks before it
// goes on.

namespace {

struct fixture : sink_actor_fixture {
  // Alice works on a1, a2 waits for her; then the machine sleeps.
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

CAF_TEST(the keeper gets a lease per stream and loses it with the stream) {
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

CAF_TEST(with ack none there is nothing to renew) {
  options.ack = ack_mode::none;
  spawn();
  CAF_CHECK_EQUAL(leases.log(), "");
}

CAF_TEST(what others took meanwhile is not delivered) {
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

CAF_TEST(what is still its own is delivered) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}, {2, 0}});
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
  CAF_CHECK_EQUAL(info().lost_leases, 0u);
}

CAF_TEST(nothing is delivered while nobody knows) {
  sleep_with_two();
  leases.stop();
  leases.owns({{1, 0}, {2, 0}});
  leases.fail_next(errc::timed_out);
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  pass(2s); // it asks again
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(a lease that the keeper finds suspect is verified) {
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  leases.kept()[0]->clock->suspect = true;
  leases.owns({{1, 0}});
  next();
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().lost_leases, 1u);
}

CAF_TEST(what a read brings after a long sleep is looked up first) {
  spawn_subscribed();
  sleep(8s);
  redis.answer("XREADGROUP", page("a", 2, 2)); // somebody took a1
  leases.owns({{2, 0}});
  give(1, 2);
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(an entry that stays unknown for two checks is taken) {
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
