#define CAF_SUITE actors.sink_redelivery

#include "pulse/actors/sink_actor.hpp"

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// What happens to an event whose handler fails, dies or hangs.

namespace {

struct fixture : sink_actor_fixture {
  fixture() {
    options.backoff = {1s, 4s};
  }

  static caf::error no() {
    return make_error({errc::handler_failed, "no"});
  }

  // The worker fails with the error that CAF also gives for one that throws.
  void fail_at_first_of_two() {
    alice.hold();
    spawn_subscribed();
    give(1, 2);
    alice.fail(caf::sec::runtime_error);
  }

  // Returns whether the text contains all these parts.
  static bool has(const std::string& text,
                  std::initializer_list<const char*> parts) {
    for (const auto* x : parts)
      if (text.find(x) == std::string::npos) {
        CAF_MESSAGE("\"" << x << "\" is not in: " << text);
        return false;
      }
    return true;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_redelivery_tests, fixture)

// -- failures -----------------------------------------------------------------

CAF_TEST(an error brings the event back after the backoff and is counted) {
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  alice.fail(no());
  pass(740ms);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK_EQUAL(info().waiting, 1u);
  pass(600ms);
  CAF_CHECK_EQUAL(alice.got(), "a1(2,1,0)");
  const auto delay = calls("delay");
  CAF_CHECK_EQUAL(delay.substr(0, delay.rfind(' ')),
                  "a s me 15000 1-0 " + packed({1, 1, 0}));
  CAF_CHECK_EQUAL(info().waiting, 0u);
  CAF_CHECK_EQUAL(info().nacks, 1u);
  CAF_CHECK_EQUAL(info().redelivered, 1u);
  CAF_CHECK_EQUAL(calls("XACK"), "");
}

CAF_TEST(after the end of the backoff list its last entry is repeated) {
  alice.always_fail(no());
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  auto pause_before = [this](const std::string& delivery) {
    milliseconds waited{0};
    for (std::string got; got.empty() && waited < 10s; waited += 20ms) {
      pass(20ms);
      got = alice.got();
      CAF_CHECK(got.empty() || got == delivery);
    }
    return waited;
  };
  // Each pause varies by a quarter, and a tick comes every 20 ms.
  const auto first = pause_before("a1(2,1,0)");
  CAF_CHECK(first >= 750ms && first <= 1300ms);
  for (const auto* delivery : {"a1(3,2,0)", "a1(4,3,0)", "a1(5,4,0)"}) {
    const auto later = pause_before(delivery);
    CAF_CHECK(later >= 2950ms && later <= 5050ms);
  }
}

CAF_TEST(a failed event goes to another subscriber if one is ready) {
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  subscribe(bob);
  alice.fail(no());
  pass(2s);
  CAF_CHECK_EQUAL(bob.got(), "a1(2,1,0)");
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

CAF_TEST(an event that fails max_deliveries times becomes a dead letter) {
  options.max_deliveries = 3;
  alice.always_fail(no());
  spawn_subscribed();
  give(1, 1);
  pass(20s);
  CAF_CHECK_EQUAL(alice.got(), "a1 a1(2,1,0) a1(3,2,0)");
  const auto letter = calls("dead_letter");
  CAF_CHECK(
    has(letter, {"a a:dead:s ", " s 1-0 100000 ", "x-stream a", "x-sink s",
                 "x-node me", "gave up after 3 failures", "x-deliveries 3",
                 "x-failures 3", "x-crashes 0", "x-time 1000"}));
  CAF_CHECK_EQUAL(calls("XACK"), ""); // the script acknowledged it
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(a handler may ask for a dead letter at once) {
  alice.always_fail(term("it makes no sense"));
  spawn_subscribed();
  give(1, 1);
  CAF_CHECK_EQUAL(alice.got(), "a1");
  CAF_CHECK(has(calls("dead_letter"),
                {"x-reason it makes no sense", "x-deliveries 1"}));
}

CAF_TEST(a dead letter is repeated until Redis took it) {
  alice.always_fail(term("no"));
  spawn_subscribed();
  redis.lose("dead_letter");
  redis.refuse("dead_letter", "OOM command not allowed");
  redis.lose("dead_letter", errc::timed_out);
  give(1, 1);
  CAF_CHECK_EQUAL(info().dead_letters, 0u);
  pass(10s);
  const auto letters = calls("dead_letter");
  CAF_CHECK_EQUAL(std::count(letters.begin(), letters.end(), '|'), 3);
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK_EQUAL(alice.got(), "a1");
}

CAF_TEST(an event that was acknowledged meanwhile gets no dead letter) {
  alice.always_fail(term("no"));
  spawn_subscribed();
  redis.answer("dead_letter", "$-1\r\n");
  give(1, 1);
  pass(5s);
  CAF_CHECK_EQUAL(info().dead_letters, 0u);
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(with dead_letter off a given up event is acknowledged and counted) {
  options.dead_letter = false;
  alice.always_fail(term("no"));
  spawn_subscribed();
  give(1, 1);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("dead_letter"), "");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK_EQUAL(info().acked, 0u);
}

// -- deaths -------------------------------------------------------------------

CAF_TEST(the oldest event of a dead worker counts a crash and the others not ) {
  alice.hold();
  bob.hold();
  spawn_subscribed();
  give(1, 3);
  subscribe(bob);
  alice.die();
  consume_messages(); // at once: no time passes
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1) a2(2,0,0) a3(2,0,0)");
  CAF_CHECK_EQUAL(info().crashes, 1u);
  CAF_CHECK_EQUAL(info().subscribers, 1u);
  CAF_CHECK_EQUAL(calls("count"), "a s me 1-0 " + packed({2, 0, 1}) + " -1 2-0 "
                                    + packed({2, 0, 0}) + " -1 3-0 "
                                    + packed({2, 0, 0}) + " -1");
}

CAF_TEST(a worker that quits blames none of its events) {
  alice.hold();
  bob.hold();
  spawn_subscribed();
  give(1, 3);
  subscribe(bob);
  alice.quit();
  consume_messages(); // at once: no time passes
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,0) a2(2,0,0) a3(2,0,0)");
  CAF_CHECK_EQUAL(info().crashes, 0u);
  CAF_CHECK(!logged("died"));
}

CAF_TEST(an event that kills max_crashes workers becomes a dead letter) {
  options.max_crashes = 2;
  alice.hold();
  bob.hold();
  spawn_subscribed();
  give(1, 2);
  subscribe(bob);
  alice.die();
  consume_messages();
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1) a2(2,0,0)");
  bob.die();
  consume_messages();
  CAF_CHECK(has(calls("dead_letter"), {" s 1-0 ", "its worker died 2 times",
                                       "x-crashes 2", "x-failures 0"}));
  scripted_worker carol{sys};
  subscribe(carol);
  CAF_CHECK_EQUAL(carol.got(), "a2(3,0,0)");
}

CAF_TEST(a handler that throws is a crash and not a failure) {
  spawn_subscribed();
  alice.throw_next();
  give(1, 1);
  subscribe(bob);
  pass(2s);
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1)");
  CAF_CHECK_EQUAL(info().crashes, 1u);
  CAF_CHECK_EQUAL(info().nacks, 0u);
}

CAF_TEST(an error of a worker that quits is a failure) {
  fail_at_first_of_two();
  alice.quit();
  pass(100ms);
  CAF_CHECK_EQUAL(info().nacks, 1u);
  CAF_CHECK_EQUAL(info().crashes, 0u);
  CAF_CHECK(has(calls("delay"), {"1-0 100001"}));
}

CAF_TEST(only the last error of a worker that throws is a crash) {
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  alice.fail(caf::sec::runtime_error);
  alice.throw_next();
  give(2, 2);
  subscribe(bob);
  pass(100ms);
  CAF_CHECK_EQUAL(bob.got(), "a2(2,0,1)");
  CAF_CHECK_EQUAL(info().nacks, 1u);
  CAF_CHECK_EQUAL(info().crashes, 1u);
  CAF_CHECK(has(calls("delay"), {"1-0 100001"}));
}

CAF_TEST(an error of a worker that is killed later is a failure) {
  fail_at_first_of_two();
  alice.die();
  subscribe(bob);
  pass(100ms);
  CAF_CHECK_EQUAL(bob.got(), "a2(2,0,1)");
  CAF_CHECK_EQUAL(info().nacks, 1u);
}

CAF_TEST(events of the last worker wait in Redis for the next one) {
  alice.hold();
  spawn_subscribed();
  give(1, 2);
  alice.die();
  consume_messages();
  CAF_CHECK_EQUAL(calls("delay"), "a s me 15000 1-0 " + packed({1, 0, 1})
                                    + " -1 2-0 " + packed({1, 0, 0}) + " -1");
  CAF_CHECK_EQUAL(info().held, 0u);
  pass(5s);
  CAF_CHECK(!reads());
  subscribe(bob);
  CAF_CHECK_EQUAL(bob.got(), "a1(2,0,1) a2(2,0,0)");
  CAF_CHECK(reads());
}

// -- hanging workers ----------------------------------------------------------

CAF_TEST(a worker that hangs loses its events after ack_wait) {
  options.ack_wait = 10s;
  alice.hold();
  spawn_subscribed();
  give(1, 2);
  subscribe(bob);
  pass(9900ms);
  CAF_CHECK_EQUAL(bob.got(), "");
  pass(200ms);
  CAF_CHECK_EQUAL(bob.got(), "a2(2,0,0)"); // it only waited behind the other
  pass(2s);
  CAF_CHECK_EQUAL(bob.got(), "a1(2,1,0)");
  CAF_CHECK_EQUAL(info().timeouts, 1u);
  CAF_CHECK_EQUAL(info().crashes, 0u);
}

CAF_TEST(a worker that hangs gets no more events) {
  options.ack_wait = 10s;
  hanging_worker eve{sys};
  spawn();
  auto subscribed = ask_void(uut, caf::subscribe_atom_v, eve.handle(),
                             subscription{2});
  consume_messages();
  CAF_CHECK_EQUAL(subscribed->why(), "none");
  give(1, 4);
  pass(60s);
  CAF_CHECK_EQUAL(eve.messages(), 3u); // two events and a probe
  CAF_CHECK_EQUAL(info().timeouts, 1u);
  CAF_CHECK_EQUAL(info().held, 0u);
  CAF_CHECK(!reads());
  subscribe(bob);
  pass(1s);
  CAF_CHECK_EQUAL(bob.got(), "a2(2,0,0) a3 a4 a1(2,1,0)");
}

CAF_TEST(a worker that dropped a promise gets events again) {
  options.ack_wait = 10s;
  options.backoff = {1h};
  alice.hold();
  spawn_subscribed(1);
  give(1, 2);
  pass(10100ms); // then she answers a probe
  CAF_CHECK_EQUAL(alice.got(), "a1 a2");
}

CAF_TEST(a worker that answers late gets events again and its ack counts) {
  options.ack_wait = 10s;
  alice.hold();
  spawn_subscribed();
  give(1, 1);
  pass(10100ms);
  alice.finish();
  consume_messages();
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  pass(3s);
  CAF_CHECK_EQUAL(alice.got(), "a1"); // done, so never again
  give_page(nothing); // Redis ends a read after a quarter of the lease
  give(2, 2);
  CAF_CHECK_EQUAL(alice.got(), "a2");
}

CAF_TEST(ack_wait counts for the oldest event only) {
  options.ack_wait = 10s;
  alice.hold();
  spawn_subscribed();
  give(1, 3);
  for (int i = 0; i < 3; ++i) {
    pass(9s); // each takes long, but less than ack_wait
    alice.finish();
  }
  consume_messages();
  CAF_CHECK_EQUAL(info().timeouts, 0u);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 | a s 2-0 | a s 3-0");
}

// -- logs ---------------------------------------------------------------------

CAF_TEST(many dead letters become few lines and none is left out) {
  alice.always_fail(term("no"));
  options.credit = 100;
  spawn_subscribed();
  auto count = [this](const std::string& text) {
    size_t result = 0;
    for (auto i = log_text.find(text); i != std::string::npos;
         i = log_text.find(text, i + 1))
      ++result;
    return result;
  };
  give(1, 50);
  pass(1s);
  CAF_CHECK_EQUAL(info().dead_letters, 50u);
  CAF_CHECK_EQUAL(count(" is a dead letter now: no"), 10u);
  pass(10s);
  CAF_CHECK(logged("40 more events were given up within 1 s; the last line: "
                   "event 50-0 of stream a is a dead letter now: no"));
  give_page(nothing); // as a read that has blocked for its time
  give(51, 60);
  pass(1s);
  CAF_CHECK_EQUAL(info().dead_letters, 60u);
  log_text.clear();
  const auto closed = close();
  pass(1s);
  CAF_CHECK_EQUAL(closed->why(), "none");
  CAF_CHECK(logged("10 more events were given up within 1 s"));
}

CAF_TEST_FIXTURE_SCOPE_END()
