#define CAF_SUITE actors.sink_batches

#include "support/sink_actor_fixture.hpp"

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// Subscribers of a sink that get their events in batches.

namespace {

struct fixture : sink_actor_fixture {
  fixture() {
    options.backoff = {1s};
  }

  static caf::error no() {
    return make_error({errc::handler_failed, "no"});
  }

  void end(scripted_worker& who, batch_outcome how) {
    who.end(std::move(how));
    consume_messages();
  }

  void finish(scripted_worker& who, size_t n = 1) {
    who.finish(n);
    consume_messages();
  }

  // Alice holds her batches.
  void spawn_holding(uint32_t credit = 8, uint32_t max_batch = 4) {
    alice.hold();
    spawn_subscribed(credit, max_batch);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_batches_tests, fixture)

// -- what subscribers get -----------------------------------------------------

CAF_TEST(a batch is one message and one answer settles it) {
  spawn_holding();
  give(1, 3);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3]");
  CAF_CHECK_EQUAL(alice.held(), 1u);
  CAF_CHECK_EQUAL(info().dispatched, 3u);
  CAF_CHECK_EQUAL(calls("XACK"), "");
  finish(alice);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0 3-0");
  CAF_CHECK_EQUAL(info().acked, 3u);
  CAF_CHECK_EQUAL(info().held, 0u);
}

CAF_TEST(what comes while a subscriber is busy is one batch) {
  spawn_holding(20, 10);
  give(1, 3);
  give(4, 4);
  give(5, 5);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3]");
  finish(alice);
  CAF_CHECK_EQUAL(alice.got(), "[a4 a5]");
}

CAF_TEST(no batch is larger than max_batch or the credit) {
  spawn_holding(5, 3);
  give(1, 9);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3]");
  finish(alice);
  CAF_CHECK_EQUAL(alice.got(), "[a4 a5 a6]");
  subscribe(alice, 2, 3);
  finish(alice);
  CAF_CHECK_EQUAL(alice.got(), "[a7 a8]");
}

CAF_TEST(the default credit lets a full batch wait for the subscriber) {
  options.credit = 1;
  spawn_holding(0, 3);
  give(1, 9);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3] [a4 a5 a6]");
}

CAF_TEST(subscribers for batches and for events share a sink) {
  bob.hold();
  spawn_holding();
  subscribe(bob, 2);
  give(1, 5);
  CAF_CHECK_EQUAL(alice.got() + ", " + bob.got(), "[a1 a3 a5], a2 a4");
  finish(bob, 2);
  finish(alice);
  CAF_CHECK_EQUAL(info().acked, 5u);
}

CAF_TEST(a typed subscriber for batches gets batches by default) {
  spawn();
  auto done = tell(caf::subscribe_atom_v, alice.batches(), subscription{});
  CAF_CHECK_EQUAL(done->why(), "none");
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2]");
  auto left = ask<bool>(uut, caf::unsubscribe_atom_v, alice.batches());
  consume_messages();
  CAF_CHECK(left->ok() && left->value);
  CAF_CHECK_EQUAL(info().subscribers, 0u);
}

CAF_TEST(a subscriber that returns nothing acknowledges its batches) {
  std::vector<size_t> sizes;
  auto reader = sys.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](const event_batch& xs) { sizes.push_back(xs.size()); }};
  });
  spawn();
  tell(caf::subscribe_atom_v, caf::actor_cast<event_listener>(reader),
       subscription{0, 10});
  give(1, 3);
  CAF_CHECK(sizes == std::vector<size_t>{3});
  CAF_CHECK_EQUAL(info().acked, 3u);
  CAF_CHECK_EQUAL(info().nacks, 0u);
  caf::anon_send_exit(reader, caf::exit_reason::user_shutdown);
}

CAF_TEST(a max_batch that is too large is refused) {
  spawn();
  CAF_CHECK_EQUAL(subscribe(alice, 0, 100'001),
                  "invalid_option: max_batch of a subscription must be 0 "
                  "(single events) to 100000, not 100001");
  CAF_CHECK_EQUAL(info().subscribers, 0u);
}

CAF_TEST(a supervisor hears that a subscriber takes batches) {
  supervision supervisor;
  std::string heard_of;
  supervisor.subscribed = [&](const event_listener&,
                              const std::optional<subscription>& how) {
    heard_of += how ? std::to_string(how->max_batch) + " " : "left ";
  };
  spawn(supervisor);
  subscribe(alice, 0, 7);
  unsubscribe(alice);
  CAF_CHECK_EQUAL(heard_of, "7 left ");
}

CAF_TEST(batches and their outcomes go to other nodes) {
  const auto x = event::make({"a", {1, 2}, 2}, "n", "p", "t", "s", {2, 1, 0});
  const auto y = event::make({"b", {3, 4}}, "m", "q");
  const auto batch = sent_over_network(event_batch{{x, y}});
  CAF_CHECK(batch == (event_batch{{x, y}}));
  CAF_CHECK_EQUAL(batch[0].counts().failures, 1u);
  CAF_CHECK_EQUAL(batch[0].sink(), "s");
  CAF_CHECK(sent_over_network(event_batch{}).empty());
  const auto how
    = sent_over_network(batch_outcome{no()}.fail(1, term("x"), 5s));
  CAF_CHECK_EQUAL(describe(how.why()), "handler_failed: no");
  CAF_REQUIRE_EQUAL(how.failures().size(), 1u);
  CAF_CHECK_EQUAL(how.failures()[0].index, 1u);
  CAF_CHECK(how.failures()[0].delay == 5s);
  CAF_CHECK_EQUAL(describe(how.failures()[0].why), "rejected: x");
}

// -- failures -----------------------------------------------------------------

CAF_TEST(an error fails the whole batch and its events come again alone) {
  spawn_holding();
  give(1, 2);
  alice.fail(no());
  consume_messages();
  CAF_CHECK_EQUAL(info().nacks, 2u);
  CAF_CHECK(logged("a subscriber failed at a batch of 2 events, of which the "
                   "first is a 1-0"));
  pass(2s);
  finish(alice, 2);
  pass(2s);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2] [a1(2,1,0)] [a2(2,1,0)]");
  CAF_CHECK_EQUAL(info().acked, 2u);
}

CAF_TEST(parts of a batch fail) {
  spawn_holding();
  give(1, 4);
  end(alice, batch_outcome{}
               .fail(1, no())
               .fail(2, term("never"))
               .fail(1, term("the first outcome counts"))
               .fail(3, no(), 5s));
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
  CAF_CHECK(calls("dead_letter").find("x-reason never") != std::string::npos);
  CAF_CHECK_EQUAL(info().acked, 1u);
  CAF_CHECK_EQUAL(info().nacks, 2u);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3 a4]");
  pass(2s);
  CAF_CHECK_EQUAL(alice.got(), "[a2(2,1,0)]");
  pass(2900ms);
  CAF_CHECK_EQUAL(alice.got(), "");
  pass(500ms);
  CAF_CHECK_EQUAL(alice.got(), "[a4(2,1,0)]");
}

CAF_TEST(parts of a batch fail in other ways than the rest) {
  spawn_holding();
  give(1, 3);
  end(alice, batch_outcome{no()}.fail(0, term("never")));
  CAF_CHECK_EQUAL(calls("XACK"), "");
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK_EQUAL(info().nacks, 2u);
}

CAF_TEST(term for a batch makes dead letters of all its events) {
  spawn_holding();
  give(1, 2);
  alice.fail(term("never"));
  consume_messages();
  pass(100ms);
  CAF_CHECK_EQUAL(info().dead_letters, 2u);
}

CAF_TEST(an index outside of the batch fails the whole batch) {
  spawn_holding();
  give(1, 2);
  end(alice, batch_outcome{}.fail(2, no()));
  CAF_CHECK_EQUAL(info().nacks, 2u);
  CAF_CHECK_EQUAL(info().acked, 0u);
  CAF_CHECK_EQUAL(info().last_failure,
                  "handler_failed: the handler of a batch of 2 events said "
                  "that number 2 failed, where the first one is number 0: "
                  "handler_failed: no");
}

CAF_TEST(an event without a reason fails all the same) {
  spawn_holding();
  give(1, 2);
  end(alice, batch_outcome{}.fail(0, caf::error{}));
  CAF_CHECK_EQUAL(info().nacks, 1u);
  CAF_CHECK_EQUAL(info().acked, 1u);
}

CAF_TEST(a batch makes no dead letters if max_deliveries is 1) {
  options.max_deliveries = 1;
  spawn_holding();
  give(1, 2);
  alice.fail(no());
  consume_messages();
  pass(2s);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2] [a1(2,0,0)] [a2(2,0,0)]");
  CAF_CHECK_EQUAL(info().dead_letters, 0u);
  alice.fail(no());
  finish(alice);
  pass(100ms);
  CAF_CHECK_EQUAL(info().dead_letters, 1u);
  CAF_CHECK_EQUAL(info().acked, 1u);
}

// -- deaths and time ----------------------------------------------------------

CAF_TEST(all events of the batch of a dead worker count a crash) {
  bob.hold();
  spawn_holding(4, 2);
  give(1, 4);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2] [a3 a4]");
  subscribe(bob, 8, 4);
  alice.die();
  consume_messages();
  CAF_CHECK_EQUAL(bob.got(), "[a1(2,0,1)] [a2(2,0,1)] [a3(2,0,0)] [a4(2,0,0)]");
  CAF_CHECK_EQUAL(info().crashes, 2u);
}

CAF_TEST(a handler of batches that throws is a crash and not a failure) {
  spawn_subscribed(8, 4);
  alice.throw_next();
  give(1, 2);
  subscribe(bob, 8, 4);
  pass(2s);
  CAF_CHECK_EQUAL(bob.got(), "[a1(2,0,1)] [a2(2,0,1)]");
  CAF_CHECK_EQUAL(info().crashes, 2u);
  CAF_CHECK_EQUAL(info().nacks, 0u);
}

CAF_TEST(the error of a worker that goes on is a failure of its batch) {
  spawn_holding();
  give(1, 2);
  alice.fail(caf::sec::runtime_error);
  consume_messages();
  CAF_CHECK_EQUAL(info().nacks, 0u); // its death may be on the way
  pass(100ms);
  CAF_CHECK_EQUAL(info().nacks, 2u);
  CAF_CHECK_EQUAL(info().crashes, 0u);
}

CAF_TEST(a batch that is late fails and its late answer counts) {
  options.ack_wait = 1s;
  spawn_holding(4, 2);
  give(1, 4);
  pass(1100ms);
  CAF_CHECK_EQUAL(info().timeouts, 2u);
  finish(alice);
  pass(100ms);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
}

CAF_TEST(extending the events of a batch gives it more time) {
  options.ack_wait = 1s;
  spawn_holding();
  give(1, 3);
  pass(900ms);
  CAF_CHECK_EQUAL(tell(atom::extend_v, delivery(2))->why(), "none");
  pass(900ms);
  CAF_CHECK_EQUAL(info().timeouts, 0u);
  CAF_CHECK_EQUAL(
    tell(atom::extend_v, std::vector{delivery(1), delivery(3)})->why(), "none");
  pass(900ms);
  CAF_CHECK_EQUAL(info().timeouts, 0u);
  const auto done = tell(atom::extend_v,
                         std::vector{delivery(1), delivery(7), delivery(8)});
  CAF_CHECK_EQUAL(done->why().substr(0, 63),
                  "no_such_delivery: 2 of 3 events cannot be extended, the "
                  "others ");
  pass(200ms);
  CAF_CHECK_EQUAL(info().timeouts, 0u);
  pass(900ms);
  CAF_CHECK_EQUAL(info().timeouts, 3u);
}

CAF_TEST(a batch stays with a subscriber that leaves) {
  spawn_holding();
  give(1, 2);
  CAF_CHECK(unsubscribe(alice));
  finish(alice);
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
}

CAF_TEST(a sink that closes waits for its batches) {
  spawn_holding();
  give(1, 2);
  auto closed = close();
  pass(100ms);
  CAF_CHECK_EQUAL(closed->why(), "no answer");
  finish(alice);
  pass(100ms);
  CAF_CHECK_EQUAL(closed->why(), "none");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 2-0");
}

// -- other modes --------------------------------------------------------------

CAF_TEST(in manual mode one ack settles a batch) {
  options.ack = ack_mode::manual;
  spawn_subscribed(8, 4);
  give(1, 3);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3]");
  CAF_CHECK_EQUAL(calls("XACK"), "");
  CAF_CHECK_EQUAL(info().dispatched, 3u);
  auto done = tell(atom::ack_v, std::vector{delivery(1), delivery(3)});
  CAF_CHECK_EQUAL(done->why(), "none");
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0 3-0");
  tell(atom::nack_v, delivery(2), caf::timespan{2s});
  pass(2100ms);
  CAF_CHECK_EQUAL(alice.got(), "[a2(2,1,0)]");
}

CAF_TEST(without acks a batch is delivered once) {
  options.ack = ack_mode::none;
  spawn_holding();
  give(1, 3);
  CAF_CHECK_EQUAL(alice.got(), "[a1 a2 a3]");
  alice.fail(no());
  consume_messages();
  give(4, 4);
  pass(5s);
  CAF_CHECK_EQUAL(alice.got(), "[a4]");
  CAF_CHECK_EQUAL(calls("XACK"), "");
}

CAF_TEST(in broadcast mode each subscriber gets its batch) {
  options.dispatch = dispatch_mode::broadcast;
  bob.hold();
  spawn_holding();
  subscribe(bob, 4);
  give(1, 2);
  CAF_CHECK_EQUAL(alice.got() + ", " + bob.got(), "[a1 a2], a1 a2");
  finish(bob, 2);
  CAF_CHECK_EQUAL(calls("XACK"), "");
  end(alice, batch_outcome{}.fail(1, no()));
  CAF_CHECK_EQUAL(calls("XACK"), "a s 1-0");
}

CAF_TEST_FIXTURE_SCOPE_END()
