#define CAF_SUITE actors.timers

#include "pulse/actors/internal/runtime/delayed_calls.hpp"

#include <caf/event_based_actor.hpp>

#include "support/actor_fixture.hpp"

#include <string>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// The timers of the actors, in virtual time.

namespace {

using pointer = caf::event_based_actor*;

struct fixture : actor_fixture {
  // An actor that lets the test do something, and counts its ticks.
  fixture() {
    uut = sys.spawn([this](pointer self) -> caf::behavior {
      timer = std::make_unique<internal::tick_timer<pointer>>(self);
      calls = std::make_unique<internal::delayed_calls<pointer>>(self);
      return {[this](caf::tick_atom) {
        ++ticks;
        if (counts_only)
          timer->on_tick();
        else
          calls->on_tick();
      }};
    });
    consume_messages();
  }

  ~fixture() override {
    caf::anon_send_exit(uut, caf::exit_reason::user_shutdown);
    uut = nullptr;
    consume_messages();
  }

  [[nodiscard]] auto in(milliseconds x) const {
    return sched.clock().now() + x;
  }

  void pass(milliseconds time) {
    advance_time(time);
    consume_messages();
  }

  // A function that writes its name.
  std::function<void()> say(const std::string& name) {
    return [this, name] { log += name; };
  }

  caf::actor uut;
  std::unique_ptr<internal::tick_timer<pointer>> timer;
  std::unique_ptr<internal::delayed_calls<pointer>> calls;
  bool counts_only = true;
  int ticks = 0;
  std::string log;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(timer_tests, fixture)

CAF_TEST(a tick comes at the time for which the timer is armed) {
  timer->arm(in(20ms));
  pass(19ms);
  CAF_CHECK_EQUAL(ticks, 0);
  pass(1ms);
  CAF_CHECK_EQUAL(ticks, 1);
  pass(1s);
  CAF_CHECK_EQUAL(ticks, 1);
}

CAF_TEST(a tick that is under way serves all later times) {
  for (int i = 0; i < 100; ++i)
    timer->arm(in(20ms));
  timer->arm(in(1s));
  pass(2s);
  CAF_CHECK_EQUAL(ticks, 1);
}

CAF_TEST(an earlier time brings a tick of its own and the later one stays) {
  timer->arm(in(500ms));
  timer->arm(in(20ms));
  pass(20ms);
  CAF_CHECK_EQUAL(ticks, 1);
  timer->arm(in(480ms)); // served by the first
  pass(480ms);
  CAF_CHECK_EQUAL(ticks, 2);
  pass(1s);
  CAF_CHECK_EQUAL(ticks, 2);
}

CAF_TEST(a time that is over brings a tick at once and never none) {
  timer->arm(in(0ms) - 5s);
  pass(0ms);
  CAF_CHECK_EQUAL(ticks, 1);
  timer->arm(internal::tick_timer<pointer>::time_point::max());
  pass(1s);
  CAF_CHECK_EQUAL(ticks, 1);
}

CAF_TEST(delayed calls are made once and in the order of their times) {
  counts_only = false;
  calls->start(30ms, say("c"));
  calls->start(10ms, say("a"));
  calls->start(20ms, say("b"));
  pass(15ms);
  CAF_CHECK_EQUAL(log, "a");
  pass(1s);
  CAF_CHECK_EQUAL(log, "abc");
}

CAF_TEST(a cancelled call is not made and a call may start another) {
  counts_only = false;
  const auto b = calls->start(20ms, say("b"));
  calls->start(10ms, [this] {
    log += "a";
    calls->start(10ms, say("c"));
  });
  calls->cancel(b);
  calls->cancel({}); // names none
  pass(10ms);
  pass(10ms);
  calls->cancel(b);
  pass(1s);
  CAF_CHECK_EQUAL(log, "ac");
}

CAF_TEST_FIXTURE_SCOPE_END()
