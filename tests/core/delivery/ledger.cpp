#define CAF_SUITE core.delivery.ledger

#include "support/ledger_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

CAF_TEST_FIXTURE_SCOPE(delivery_ledger_tests, ledger_fixture)

CAF_TEST(events go out in order to whoever holds the least) {
  auto uut = make();
  for (uint64_t i = 1; i <= 5; ++i)
    CAF_CHECK(uut.fetched(0, ev(i)));
  CAF_CHECK_EQUAL(plan(uut), "");
  uut.add_worker(1, 2);
  uut.add_worker(2, 2);
  CAF_CHECK_EQUAL(plan(uut), "1>1 2>2 3>1 4>2");
  CAF_CHECK_EQUAL(uut.dispatched(), 4u);
  CAF_CHECK_EQUAL(uut.queued(), 1u);
}

CAF_TEST(a stream that is held does not stop the others) {
  auto uut = make();
  uut.add_worker(1, 2);
  uut.fetched(0, ev(1));
  uut.fetched(1, ev(2));
  uut.fetched(0, ev(3));
  uut.fetched(1, ev(4));
  uut.hold(0);
  CAF_CHECK_EQUAL(plan(uut), "2>1 4>1");
  CAF_CHECK_EQUAL(uut.queued(), 2u);
  uut.fetched(1, ev(5));
  uut.resume(0);
  uut.add_worker(1, 5);
  CAF_CHECK_EQUAL(plan(uut), "1>1 3>1 5>1");
}

CAF_TEST(an event that is dropped while its stream is held stays away) {
  auto uut = make();
  uut.add_worker(1, 2);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  uut.hold(0);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(uut.retain_only(0, uut.next_serial(), {{2, 0}}).dropped, 1u);
  uut.resume(0);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(an event that is held keeps the turn of its key) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 4);
  uut.fetched(0, ev(1, "x"));
  uut.fetched(0, ev(2, "x"));
  uut.fetched(1, ev(3, "x")); // a stream has an order of its own
  uut.hold(0);
  CAF_CHECK_EQUAL(plan(uut), "3>1");
  uut.resume(0);
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(a held event is recognized until it is forgotten) {
  auto uut = make();
  uut.add_worker(1, 1);
  CAF_CHECK(uut.fetched(0, ev(1)));
  CAF_CHECK(!uut.fetched(0, ev(1)));
  CAF_CHECK(uut.fetched(1, ev(1))); // another stream
  auto out = dispatch(uut);
  uut.done(out[0].what, 1, now);
  auto vs = take_actions(uut);
  CAF_REQUIRE_EQUAL(vs.size(), 1u);
  CAF_CHECK(!uut.fetched(0, ev(1)));
  CAF_CHECK_EQUAL(uut.size(), 2u);
  uut.forget(vs[0].entry);
  CAF_CHECK_EQUAL(uut.size(), 1u);
  CAF_CHECK(uut.fetched(0, ev(1)));
  uut.forget(vs[0].entry); // a stale ticket
  CAF_CHECK_EQUAL(uut.size(), 2u);
}

CAF_TEST(done gives the credit back and asks for an ack) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
  CAF_CHECK_EQUAL(plan(uut), "2>1");
  uut.done(out[0].what, 1, now); // once is enough
  CAF_CHECK_EQUAL(actions(uut), "");
}

CAF_TEST(a failed event leaves and avoids the worker when it comes again) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  uut.failed(out[0].what, 1, "no", {}, now);
  auto todo = take_actions(uut);
  CAF_REQUIRE_EQUAL(todo.size(), 1u);
  CAF_CHECK(todo[0].kind == kind::delay);
  CAF_CHECK(todo[0].pause >= 75ms && todo[0].pause <= 125ms);
  CAF_CHECK_EQUAL(todo[0].counts.deliveries, 1u);
  CAF_CHECK_EQUAL(todo[0].counts.failures, 1u);
  CAF_CHECK(!uut.fetched(0, ev(1))); // Redis does not have it yet
  uut.forget(todo[0].entry);
  CAF_CHECK_EQUAL(uut.size(), 0u);
  CAF_CHECK_EQUAL(plan(uut), "");
  uut.add_worker(2, 5);
  CAF_CHECK(uut.fetched(0, ev(2)));
  CAF_CHECK(uut.fetched(0, ev(1).with({2, 1, 0})));
  CAF_CHECK_EQUAL(plan(uut), "2>2 1>2");
}

CAF_TEST(what was claimed goes before what is queued) {
  auto uut = make();
  uut.fetched(0, ev(3));
  uut.fetched(0, ev(2), false, true);
  uut.fetched(0, ev(1), false, true);
  uut.add_worker(1, 3);
  CAF_CHECK_EQUAL(plan(uut), "1>1 2>1 3>1");
}

CAF_TEST(without a worker that can work all that is queued is given back) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.fetched(1, ev(2));
  uut.fetched(0, ev(3).with({7, 2, 2}), true); // a crash candidate
  CAF_CHECK_EQUAL(plan(uut), "1>1");
  now += 1s;
  uut.tick(now);
  CAF_CHECK_EQUAL(uut.capacity(), 0u); // 1 is stuck
  CAF_CHECK_EQUAL(actions(uut), "delay1");
  uut.release_queued();
  std::string back;
  for (const auto& x : take_actions(uut))
    back += std::to_string(x.stream) + ":" + std::to_string(x.id.ms) + "("
            + std::to_string(x.counts.deliveries) + ") ";
  CAF_CHECK_EQUAL(back, "1:2(0) 0:3(6) ");
  CAF_CHECK_EQUAL(uut.queued(), 0u);
  CAF_CHECK_EQUAL(uut.size(), 2u); // until Redis has them
}

CAF_TEST(a late answer acknowledges what waits in Redis) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  const auto out = dispatch(uut);
  now += 1s;
  uut.tick(now);
  auto todo = take_actions(uut);
  CAF_REQUIRE_EQUAL(todo.size(), 1u);
  CAF_CHECK(todo[0].kind == kind::delay);
  uut.forget(todo[0].entry);
  const auto found = uut.find(0, {1, 0});
  CAF_REQUIRE(found.has_value());
  CAF_CHECK(found->late);
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
  CAF_CHECK(!uut.find(0, {1, 0}));
}

CAF_TEST(a failure in keyed dispatch waits for the backoff here) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  uut.failed(out[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(uut.waiting(), 1u);
  now += 74ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(plan(uut), "");
  now += 52ms;
  uut.tick(now);
  out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  CAF_CHECK_EQUAL(out[0].content.counts().deliveries, 2u);
  CAF_CHECK_EQUAL(out[0].content.counts().failures, 1u);
  CAF_CHECK_EQUAL(actions(uut), "count1 count1"); // the failure, the delivery
}

CAF_TEST(a delay of the worker replaces the backoff) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.failed(dispatch(uut)[0].what, 1, "later", 5s, now);
  const auto todo = take_actions(uut);
  CAF_REQUIRE_EQUAL(todo.size(), 1u);
  CAF_CHECK(todo[0].pause == 5s);
}

CAF_TEST(after max_deliveries an event is given up with its last reason) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  for (int i = 0; i < 4; ++i) {
    auto out = dispatch(uut);
    CAF_REQUIRE_EQUAL(out.size(), 1u);
    uut.failed(out[0].what, 1, "reason " + std::to_string(i), 0ms, now);
  }
  auto vs = take_actions(uut);
  CAF_REQUIRE(vs.back().kind == kind::dead_letter);
  CAF_CHECK(vs.back().reason.find("reason 3") != std::string::npos);
  CAF_CHECK_EQUAL(vs.back().counts.deliveries, 4u);
  CAF_CHECK_EQUAL(vs.back().counts.failures, 4u);
}

CAF_TEST(the death of a worker blames the oldest event and spares the rest) {
  auto uut = make();
  uut.add_worker(1, 3);
  for (uint64_t i = 1; i <= 4; ++i)
    uut.fetched(0, ev(i));
  CAF_CHECK_EQUAL(plan(uut), "1>1 2>1 3>1");
  uut.worker_died(1, "boom", now);
  CAF_CHECK_EQUAL(uut.queued(), 4u);
  uut.add_worker(2, 9);
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>2 2>2 3>2 4>2");
  CAF_CHECK_EQUAL(out[0].content.counts().crashes, 1u);
  CAF_CHECK_EQUAL(out[1].content.counts().crashes, 0u);
  CAF_CHECK_EQUAL(uut.count().crashes, 1u);
}

CAF_TEST(a worker that quits blames no event) {
  auto uut = make();
  uut.add_worker(1, 2);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i));
  CAF_CHECK_EQUAL(plan(uut), "1>1 2>1");
  uut.worker_quit(1, now);
  uut.worker_quit(1, now); // it is known no more
  uut.add_worker(2, 9);
  const auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>2 2>2 3>2");
  for (const auto& x : out)
    CAF_CHECK_EQUAL(x.content.counts().crashes + x.content.counts().failures,
                    0u);
  CAF_CHECK_EQUAL(uut.count().crashes + uut.count().nacks, 0u);
}

CAF_TEST(an event at which every worker quits is given up in the end) {
  auto uut = make();
  uut.fetched(0, ev(1));
  std::string got;
  for (uint64_t w = 1; w <= 16; ++w) {
    uut.add_worker(w, 1);
    for (const auto& x : dispatch(uut))
      got += std::to_string(x.content.counts().failures);
    uut.worker_quit(w, now);
    if (w == 16)
      break;
    actions(uut);
    pass(uut, 1s); // longer than the backoff
  }
  CAF_CHECK_EQUAL(got, "0000111122223333");
  const auto all = take_actions(uut);
  CAF_REQUIRE(!all.empty());
  CAF_CHECK_EQUAL(all.back().reason,
                  "gave up after 4 failures and 0 crashes (max_deliveries is "
                  "4); the last failure: its worker quit without an answer");
}

CAF_TEST(workers that quit after one event blame none that they did not begin) {
  auto uut = make();
  for (uint64_t i = 1; i <= 30; ++i)
    uut.fetched(0, ev(i));
  // Each worker answers the last one of its events, so the first one is the
  // oldest at the end of all of them.
  for (uint64_t w = 1; w <= 20; ++w) {
    uut.add_worker(w, 2);
    const auto out = dispatch(uut);
    CAF_REQUIRE_EQUAL(out.size(), 2u);
    CAF_CHECK_EQUAL(out[0].content.id().ms, 1u);
    CAF_CHECK_EQUAL(out[0].content.counts().failures, 0u);
    uut.done(out[1].what, w, now);
    uut.worker_quit(w, now);
    CAF_CHECK_EQUAL(uut.count().nacks, 0u);
    for (const auto& x : take_actions(uut))
      uut.forget(x.kind == delivery_ledger::action_kind::ack
                   ? x.entry
                   : delivery_ticket{});
  }
}

CAF_TEST(hand_overs that ended without a fault do not use up an event) {
  auto uut = make();
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  for (uint64_t w = 1; w <= 9; ++w) { // 2 waits behind a poison event
    uut.add_worker(w, 2);
    dispatch(uut);
    uut.worker_died(w, "boom", now);
    uut.fetched(0, ev(2 + w));
  }
  uut.add_worker(10, 1);
  const auto out = dispatch(uut);
  CAF_REQUIRE_EQUAL(out.size(), 1u);
  uut.failed(out[0].what, 10, "no", {}, now);
  CAF_CHECK(take_actions(uut).back().kind == kind::delay);
}

CAF_TEST(crashes use up the deliveries if crashes have no limit) {
  how.max_crashes = 0;
  auto uut = make();
  uut.fetched(0, ev(1));
  for (uint64_t w = 1; w <= 4; ++w) {
    uut.add_worker(w, 1);
    CAF_CHECK_EQUAL(dispatch(uut).size(), 1u);
    uut.worker_died(w, "segfault", now);
  }
  const auto all = take_actions(uut);
  CAF_CHECK_EQUAL(all.back().reason,
                  "gave up after 0 failures and 4 crashes (max_deliveries is "
                  "4); the last time its worker died: segfault");
}

CAF_TEST(an event that kills max_crashes workers is given up) {
  auto uut = make();
  uut.fetched(0, ev(1));
  for (uint64_t w = 1; w <= 2; ++w) {
    uut.add_worker(w, 1);
    CAF_CHECK_EQUAL(plan(uut), "1>" + std::to_string(w));
    uut.worker_died(w, "segfault", now);
  }
  CAF_CHECK_EQUAL(actions(uut), "count1 dead1");
}

CAF_TEST(ack_wait counts only while an event is the oldest of its worker) {
  auto uut = make();
  uut.add_worker(1, 3);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i));
  auto out = dispatch(uut);
  for (auto& x : out) {
    now += 900ms; // each takes nearly all of its time
    uut.tick(now);
    uut.done(x.what, 1, now);
  }
  CAF_CHECK_EQUAL(uut.count().timeouts, 0u);
  CAF_CHECK_EQUAL(actions(uut), "ack1 ack2 ack3");
}

CAF_TEST(a worker that never answers loses all it holds) {
  auto uut = make();
  uut.add_worker(1, 3);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i));
  dispatch(uut);
  uut.add_worker(2, 3);
  now += 1s;
  uut.tick(now);
  // The first one failed and waits, the others go on at once, elsewhere.
  CAF_CHECK_EQUAL(plan(uut), "2>2 3>2");
  CAF_CHECK_EQUAL(uut.count().timeouts, 1u);
  CAF_CHECK_EQUAL(actions(uut), "delay1 count2 count3");
  pass(uut, 200ms);
  CAF_CHECK_EQUAL(plan(uut), "1>2");
}

CAF_TEST(a stuck worker gets no more until it answers) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  now += 1s;
  uut.tick(now);
  CAF_CHECK_EQUAL(actions(uut), "delay1");
  pass(uut, 200ms);
  CAF_CHECK_EQUAL(plan(uut), "");
  // Late, but it did the work: nobody has to do it again.
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
  uut.fetched(0, ev(2));
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(a dropped promise costs its credit until the answer to a probe) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  dispatch(uut);
  now += 1s;
  uut.tick(now);
  std::vector<worker_table::probe> probes;
  uut.take_probes(probes);
  CAF_REQUIRE_EQUAL(probes.size(), 1u);
  uut.fetched(0, ev(2));
  pass(uut, 1min);
  CAF_CHECK_EQUAL(plan(uut), "");
  uut.answered_probe(probes[0]);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(a parallel worker that answers others loses only what is late) {
  auto uut = make();
  uut.add_worker(1, 3);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  const auto out = dispatch(uut);
  now += 500ms;
  uut.done(out[1].what, 1, now);
  uut.fetched(0, ev(3));
  const auto third = dispatch(uut);
  now += 500ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(uut.count().timeouts, 1u);
  CAF_CHECK_EQUAL(uut.dispatched(), 1u);
  now += 100ms;
  uut.done(third[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack2 delay1 ack3");
}

CAF_TEST(the events of a parallel worker are late at the same time) {
  auto uut = make();
  uut.add_worker(1, 8);
  for (uint64_t i = 1; i <= 8; ++i)
    uut.fetched(0, ev(i));
  const auto out = dispatch(uut);
  now += 100ms;
  uut.done(out[6].what, 1, now);
  uut.done(out[7].what, 1, now);
  now += 900ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(uut.count().timeouts, 6u);
  CAF_CHECK_EQUAL(uut.dispatched(), 0u);
}

CAF_TEST(the ack of an earlier delivery lets go of the one under way) {
  auto uut = make();
  uut.fetched(0, ev(1));
  uut.add_worker(1, 1);
  CAF_CHECK_EQUAL(plan(uut), "1>1");
  CAF_CHECK_EQUAL(dispatch(uut).size(), 0u);
  // Somebody who is no worker acknowledges the event by hand.
  uut.done(uut.find(0, {1, 0})->entry, 0, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
  // The worker answers a probe, so it can work on, and no time-out follows.
  std::vector<worker_table::probe> probes;
  uut.take_probes(probes);
  CAF_REQUIRE_EQUAL(probes.size(), 1u);
  uut.answered_probe(probes[0]);
  uut.fetched(0, ev(2));
  now += 900ms;
  CAF_CHECK_EQUAL(plan(uut), "2>1");
  pass(uut, 500ms);
  CAF_CHECK_EQUAL(uut.count().timeouts, 0u);
  CAF_CHECK_EQUAL(uut.dispatched(), 1u);
}

CAF_TEST(extend starts ack_wait again) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  now += 900ms;
  CAF_CHECK(uut.extend(out[0].what, 1, now));
  now += 900ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(uut.dispatched(), 1u);
  now += 100ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(uut.dispatched(), 0u);
  CAF_CHECK(!uut.extend(out[0].what, 1, now));
}

CAF_TEST(a late failure does not touch the next attempt) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto first = dispatch(uut);
  uut.add_worker(2, 1);
  now += 1s;
  uut.tick(now);
  CAF_CHECK_EQUAL(actions(uut), "delay1");
  pass(uut, 200ms);
  auto second = dispatch(uut);
  CAF_CHECK_EQUAL(show(second), "1>2");
  uut.failed(first[0].what, 1, "late", {}, now);
  CAF_CHECK_EQUAL(uut.dispatched(), 1u);
  uut.done(second[0].what, 2, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
}

CAF_TEST(a rejected event becomes a dead letter at once) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.rejected(dispatch(uut)[0].what, 1, "nonsense", now);
  auto vs = take_actions(uut);
  CAF_REQUIRE_EQUAL(vs.size(), 1u);
  CAF_CHECK(vs[0].kind == kind::dead_letter);
  CAF_CHECK_EQUAL(vs[0].reason, "nonsense");
}

CAF_TEST(a worker that leaves finishes what it holds) {
  auto uut = make();
  uut.add_worker(1, 2);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  uut.remove_worker(1);
  uut.fetched(0, ev(2));
  CAF_CHECK_EQUAL(plan(uut), "");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
  CAF_CHECK_EQUAL(uut.capacity(), 0u);
}

CAF_TEST(what was never dispatched is handed back uncounted) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  uut.fetched(1, ev(3));
  dispatch(uut);
  auto only = uut.release_idle(1);
  CAF_REQUIRE_EQUAL(only.size(), 1u);
  CAF_CHECK_EQUAL(only[0].id.ms, 3u);
  CAF_CHECK(uut.release_all({1}).empty());
  auto xs = uut.release_all({0, 1});
  CAF_REQUIRE_EQUAL(xs.size(), 2u);
  CAF_CHECK_EQUAL(xs[0].counts.deliveries, 1u);
  CAF_CHECK_EQUAL(xs[1].counts.deliveries, 0u);
  CAF_CHECK_EQUAL(uut.size(), 0u);
}

CAF_TEST(counts are noted anew after a reading that was no delivery) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.fetched(1, ev(2));
  dispatch(uut);
  take_actions(uut);
  uut.recount(0);
  const auto all = take_actions(uut);
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK(all[0].kind == delivery_ledger::action_kind::store_counts);
  CAF_CHECK_EQUAL(all[0].id.ms, 1u);
  CAF_CHECK_EQUAL(all[0].counts.deliveries, 1u);
}

CAF_TEST(what other nodes took over is dropped unless a worker is at it) {
  auto uut = make();
  uut.add_worker(1, 1);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i));
  auto out = dispatch(uut);
  const auto mark = uut.next_serial();
  uut.fetched(0, ev(4));
  CAF_CHECK_EQUAL(uut.retain_only(0, mark, {{3, 0}}).dropped, 1u);
  CAF_CHECK_EQUAL(uut.size(), 3u);
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "3>1");
}

CAF_TEST(what other nodes took over is not tried again here) {
  auto uut = make();
  uut.add_worker(1, 8);
  uut.add_worker(2, 8);
  for (uint64_t i = 1; i <= 4; ++i)
    uut.fetched(0, ev(i));
  auto out = dispatch(uut);
  CAF_REQUIRE_EQUAL(show(out), "1>1 2>2 3>1 4>2");
  CAF_CHECK_EQUAL(uut.retain_only(0, uut.next_serial(), {{4, 0}}).dropped, 0u);
  uut.failed(out[0].what, 1, "no", {}, now); // dropped
  uut.done(out[1].what, 2, now);             // an ack does no harm
  CAF_CHECK_EQUAL(uut.size(), 3u);
  uut.worker_died(1, "crash", now); // 3 is dropped
  CAF_CHECK_EQUAL(uut.count().crashes, 0u);
  uut.worker_died(2, "crash", now); // 4 is ours
  CAF_CHECK_EQUAL(uut.count().crashes, 1u);
  CAF_CHECK_EQUAL(uut.queued(), 1u);
  CAF_CHECK_EQUAL(uut.size(), 2u);
}

CAF_TEST(what came back from another node is tried again here) {
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(uut.retain_only(0, uut.next_serial(), {}).at_work, 2u);
  CAF_CHECK_EQUAL(uut.retain_only(0, uut.next_serial(), {}).at_work, 0u);
  uut.retain_only(0, uut.next_serial(), {{1, 0}});
  CAF_CHECK(!uut.fetched(0, ev(2)));
  uut.failed(out[0].what, 1, "no", {}, now);
  uut.failed(out[1].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(actions(uut), "delay1 delay2");
}

CAF_TEST(keyed keeps the order per topic across failures) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  uut.fetched(0, ev(3, "b"));
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1 3>1");
  uut.failed(out[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(plan(uut), "");
  now += 200ms;
  uut.tick(now);
  out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(keyed parks a failed event and those behind it) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  uut.fetched(0, ev(3, "b"));
  auto out = dispatch(uut);
  uut.failed(out[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(uut.parked(), 2u);
  uut.fetched(0, ev(4, "a"));
  uut.fetched(7, ev(5, "c"));
  CAF_CHECK_EQUAL(uut.parked(), 3u);
  CAF_CHECK_EQUAL(uut.parked_by_stream().at(0), 3u);
  CAF_CHECK_EQUAL(uut.size(), 5u);
  CAF_CHECK_EQUAL(plan(uut), "5>1"); // other keys go on
  CAF_CHECK_EQUAL(wanted(uut), "");
  now += 200ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(wanted(uut), "1 2 4");
  CAF_CHECK_EQUAL(uut.parked(), 0u);
  CAF_CHECK_EQUAL(plan(uut), "");
  found(uut, 2);
  CAF_CHECK_EQUAL(plan(uut), "");
  found(uut, 1);
  out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  CAF_CHECK_EQUAL(out[0].content.counts().failures, 1u);
  uut.done(out[0].what, 1, now);
  out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "2>1");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "");
  found(uut, 4);
  CAF_CHECK_EQUAL(plan(uut), "4>1");
}

CAF_TEST(a parked event keeps nothing of its block alive) {
  for (auto mode : {dispatch_mode::keyed, dispatch_mode::broadcast}) {
    how.dispatch = mode;
    auto uut = make();
    uut.add_worker(1, 8);
    auto block = std::make_shared<event_block>();
    block->streams.emplace_back("s");
    block->extents.resize(2);
    block->extents[0].id = {1, 0};
    block->extents[1].id = {2, 0};
    for (auto& x : block->extents)
      x.has_name = x.has_payload = true;
    uut.fetched(0, event{block, 0, {1, 0, 0}});
    uut.fetched(0, event{block, 1, {1, 0, 0}});
    auto out = dispatch(uut);
    CAF_REQUIRE_EQUAL(out.size(), 2u);
    for (auto& x : out)
      uut.failed(x.what, 1, "no", {}, now);
    out.clear();
    CAF_CHECK_EQUAL(block.use_count(), 1);
    CAF_CHECK_EQUAL(uut.parked(), 2u);
    CAF_CHECK_EQUAL(uut.waiting(), 2u);
  }
}

CAF_TEST(an event that fails again parks those behind it again) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  for (uint64_t n = 1; n <= 3; ++n)
    uut.fetched(0, ev(n, "a"));
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  now += 200ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(wanted(uut), "1 2 3");
  found(uut, 1);
  found(uut, 2);
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(uut.parked(), 3u);
  found(uut, 3); // too late
  CAF_CHECK_EQUAL(uut.parked(), 3u);
  now += 200ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(wanted(uut), "1 2 3");
}

CAF_TEST(contents of long queues are read a few at a time) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  for (uint64_t n = 1; n <= 100; ++n)
    uut.fetched(0, ev(n, "a"));
  uut.failed(dispatch(uut)[0].what, 1, "no", 10ms, now);
  now += 20ms;
  uut.tick(now);
  std::string order;
  for (int i = 0; i < 100; ++i) {
    auto out = dispatch(uut);
    CAF_REQUIRE_EQUAL(out.size(), 1u);
    order += std::to_string(out[0].content.id().ms) + " ";
    CAF_CHECK(uut.size() - uut.parked() <= 18);
    uut.done(out[0].what, 1, now);
    for (const auto& x : take_actions(uut))
      if (x.kind == kind::ack)
        uut.forget(x.entry);
    uut.fetched(0, ev(101 + static_cast<uint64_t>(i), "a"));
  }
  CAF_CHECK_EQUAL(order.substr(0, 10), "1 2 3 4 5 ");
  CAF_CHECK_EQUAL(order.substr(order.size() - 7), "99 100 ");
  CAF_CHECK(uut.parked() > 50);
}

CAF_TEST(a parked event that was trimmed is acknowledged) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  now += 200ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(wanted(uut), "1 2");
  CAF_CHECK(uut.lost_content(reads[0].entry));
  CAF_CHECK(!uut.lost_content(reads[0].entry));
  CAF_CHECK_EQUAL(actions(uut), "count1 ack1");
  found(uut, 2);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(a content that could not be read is wanted again) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1));
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  now += 200ms;
  uut.tick(now);
  CAF_CHECK_EQUAL(wanted(uut), "1");
  const auto which = reads[0].entry;
  CAF_CHECK_EQUAL(wanted(uut), "");
  uut.want_again(which);
  CAF_CHECK_EQUAL(uut.parked(), 1u);
  CAF_CHECK_EQUAL(wanted(uut), "1");
  found(uut, 1);
  CAF_CHECK_EQUAL(plan(uut), "1>1");
}

CAF_TEST(parked events are given back with their partitions) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  const auto before = uut.partitions_of(0);
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  CAF_CHECK(uut.partitions_of(0) == before);
  CAF_CHECK_EQUAL(uut.give_back(0, ~before), 0u);
  CAF_CHECK_EQUAL(uut.give_back(0, before), 2u);
  CAF_CHECK_EQUAL(actions(uut), "count1 release1 release2");
}

CAF_TEST(the rest of a pause goes with an event that is given back) {
  how.dispatch = dispatch_mode::keyed;
  how.backoff = {milliseconds{1'000}};
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  const auto xs = uut.release_idle(0);
  CAF_REQUIRE_EQUAL(xs.size(), 2u);
  CAF_REQUIRE(xs[0].due);
  CAF_CHECK(*xs[0].due > now);
  CAF_CHECK(!xs[1].due);
  uut.fetched(0, ev(1, "a"));
  uut.postpone(0, {1, 0}, *xs[0].due);
  uut.fetched(0, ev(2, "a"));
  const auto second = *xs[0].due + 1s;
  uut.postpone(0, {2, 0}, second);
  uut.postpone(0, {3, 0}, *xs[0].due); // unknown
  CAF_CHECK_EQUAL(plan(uut), "");
  now = *xs[0].due - milliseconds{1};
  uut.tick(now);
  CAF_CHECK_EQUAL(plan(uut), "");
  now = *xs[0].due;
  uut.tick(now);
  const auto first = dispatch(uut);
  CAF_CHECK_EQUAL(show(first), "1>1");
  uut.done(first[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "");
  take_actions(uut);
  uut.give_back(0, uut.partitions_of(0));
  const auto actions = take_actions(uut);
  CAF_REQUIRE_EQUAL(actions.size(), 1u);
  CAF_CHECK(actions[0].due == second);
}

// So Redis knows whether a worker had the event when a node dies.
CAF_TEST(a failure is stored with its pause and a dispatch ends the pause) {
  how.dispatch = dispatch_mode::keyed;
  how.backoff = {milliseconds{1'000}};
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.failed(dispatch(uut)[0].what, 1, "no", {}, now);
  const auto failure = take_actions(uut);
  CAF_REQUIRE_EQUAL(failure.size(), 1u);
  CAF_REQUIRE(failure[0].due);
  CAF_CHECK(*failure[0].due > now);
  uut.recount(0);
  CAF_CHECK(take_actions(uut)[0].due == failure[0].due);
  now = *failure[0].due;
  uut.tick(now);
  for (const auto& x : uut.take_wanted(1))
    uut.found_content(x.entry, ev(1, "a"));
  CAF_CHECK_EQUAL(show(dispatch(uut)), "1>1");
  const auto attempt = take_actions(uut);
  CAF_REQUIRE_EQUAL(attempt.size(), 1u);
  CAF_CHECK(attempt[0].kind == delivery_ledger::action_kind::store_counts);
  CAF_CHECK(!attempt[0].due);
}

CAF_TEST(an event that waited at another node waits no more when dispatched) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8);
  uut.fetched(0, ev(1, "a"));
  uut.postpone(0, {1, 0}, now + 1s);
  CAF_CHECK_EQUAL(plan(uut), "");
  now += 1s;
  uut.tick(now);
  for (const auto& x : uut.take_wanted(1))
    uut.found_content(x.entry, ev(1, "a"));
  CAF_CHECK_EQUAL(show(dispatch(uut)), "1>1");
  CAF_CHECK_EQUAL(actions(uut), "count1");
}

CAF_TEST(an event that came again is younger than an earlier list) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  const auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  const auto before = uut.next_serial();
  uut.fetched(0, ev(1)); // the group was created again
  uut.fetched(0, ev(2));
  CAF_CHECK_EQUAL(uut.retain_only(0, before, {}).dropped, 0u);
  uut.failed(out[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(actions(uut), "delay1");
  CAF_CHECK_EQUAL(plan(uut), "2>1");
}

CAF_TEST(what another node did with an event counts) {
  auto uut = make();
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2));
  uut.adopt_counts(0, {1, 0}, {1, 0, 0}); // nothing new
  uut.adopt_counts(0, {2, 0}, {2, 0, 1});
  uut.adopt_counts(0, {3, 0}, {7, 0, 1}); // unknown
  uut.add_worker(1, 8);
  CAF_CHECK_EQUAL(plan(uut), "1>1");
  const auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  CAF_CHECK(marks[0].kind == kind::mark);
  CAF_CHECK_EQUAL(marks[0].counts.crashes, 2u);
  uut.marked(marks[0].entry);
  const auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "2>1");
  CAF_CHECK_EQUAL(out[0].content.counts().deliveries, 2u);
  CAF_CHECK_EQUAL(out[0].content.counts().crashes, 1u);
  uut.adopt_counts(0, {1, 0}, {5, 0, 1}); // a worker has it
  uut.failed(out[0].what, 1, "no", {}, now);
  const auto first = uut.find(0, {1, 0});
  CAF_REQUIRE(first.has_value());
  CAF_CHECK_EQUAL(first->attempt, 1u);
}

CAF_TEST(keyed gives a topic to the same worker as long as it is there) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  for (uint64_t w = 1; w <= 3; ++w)
    uut.add_worker(w, 100);
  std::map<std::string, uint64_t> owner;
  uint64_t id = 0;
  for (int round = 0; round < 3; ++round)
    for (int t = 0; t < 20; ++t) {
      const auto topic = "t" + std::to_string(t);
      uut.fetched(0, ev(++id, topic));
      auto out = dispatch(uut);
      CAF_REQUIRE_EQUAL(out.size(), 1u);
      auto [i, fresh] = owner.emplace(topic, out[0].to);
      CAF_CHECK_EQUAL(i->second, out[0].to);
      uut.done(out[0].what, out[0].to, now);
      uut.forget(take_actions(uut).at(0).entry);
    }
  // Only the topics of a worker that goes move.
  uut.remove_worker(2);
  for (auto& [topic, was] : owner) {
    uut.fetched(0, ev(++id, topic));
    auto out = dispatch(uut);
    CAF_REQUIRE_EQUAL(out.size(), 1u);
    CAF_CHECK(out[0].to != 2u);
    if (was != 2)
      CAF_CHECK_EQUAL(out[0].to, was);
  }
}

CAF_TEST(keyed spreads events without a topic over all workers) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  for (uint64_t w = 1; w <= 3; ++w)
    uut.add_worker(w, 30);
  for (uint64_t id = 1; id <= 30; ++id)
    uut.fetched(0, ev(id));
  const auto out = dispatch(uut);
  CAF_CHECK_EQUAL(out.size(), 30u); // none waits for another one
  std::map<uint64_t, int> of;
  for (const auto& x : out)
    ++of[x.to];
  CAF_CHECK_EQUAL(of.size(), 3u);
  // An event with a topic that fails holds up only its topic.
  uut.fetched(0, ev(31, "a"));
  uut.fetched(0, ev(32, "a"));
  uut.fetched(0, ev(33));
  CAF_CHECK_EQUAL(dispatch(uut).size(), 2u);
}

CAF_TEST(keyed waits for the first worker without losing the order) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.fetched(0, ev(1, "a"));
  uut.fetched(0, ev(2, "a"));
  uut.add_worker(1, 1);
  CAF_CHECK_EQUAL(plan(uut), "1>1");
  uut.worker_died(1, "x", now);
  uut.add_worker(2, 1);
  CAF_CHECK_EQUAL(plan(uut), "1>2");
}

CAF_TEST(broadcast is acked when all have acked) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.add_worker(2, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1 1>2");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "");
  uut.done(out[1].what, 2, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
}

CAF_TEST(broadcast repeats only for those who failed) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.add_worker(2, 1);
  uut.fetched(0, ev(1));
  auto out = dispatch(uut);
  uut.failed(out[0].what, 1, "no", {}, now);
  uut.done(out[1].what, 2, now);
  CAF_CHECK_EQUAL(uut.waiting(), 1u);
  now += 200ms;
  uut.tick(now);
  out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "count1 count1 ack1");
}

CAF_TEST(broadcast to workers that all die goes to the next ones) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.add_worker(2, 1);
  uut.fetched(0, ev(1));
  dispatch(uut);
  uut.worker_died(1, "x", now);
  uut.worker_died(2, "y", now);
  CAF_CHECK_EQUAL(actions(uut), "");
  uut.add_worker(3, 1);
  CAF_CHECK_EQUAL(plan(uut), "1>3");
}

CAF_TEST(broadcast to workers that all quit blames no event) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.add_worker(2, 1);
  uut.fetched(0, ev(1));
  dispatch(uut);
  uut.worker_quit(1, now);
  uut.worker_quit(2, now);
  uut.add_worker(3, 1);
  const auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>3");
  CAF_CHECK_EQUAL(out[0].content.counts().crashes, 0u);
}

CAF_TEST(at most once means that nothing is ever queued again) {
  how.redeliver = false;
  auto uut = make();
  uut.add_worker(1, 3);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i));
  auto out = dispatch(uut);
  uut.failed(out[0].what, 1, "no", {}, now);
  uut.worker_died(1, "boom", now);
  CAF_CHECK_EQUAL(uut.queued() + uut.waiting() + uut.dispatched(), 0u);
  uut.add_worker(2, 3);
  CAF_CHECK_EQUAL(plan(uut), "");
}

CAF_TEST(a manual ack finds who holds the event) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1));
  auto x = uut.find(0, {1, 0});
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->holder, 0u);
  dispatch(uut);
  x = uut.find(0, {1, 0});
  CAF_REQUIRE(x.has_value());
  CAF_CHECK_EQUAL(x->holder, 1u);
  uut.done(x->entry, x->holder, now);
  CAF_CHECK(!uut.find(0, {1, 0}).has_value());
  CAF_CHECK(!uut.find(0, {9, 0}).has_value());
}

// -- what may have killed a node ----------------------------------------------

CAF_TEST(a crash candidate waits until Redis knows that a worker gets it) {
  how.max_crashes = 3;
  auto uut = make();
  uut.add_worker(1, 2);
  uut.fetched(0, ev(1).with({2, 0, 1}), true);
  uut.fetched(0, ev(2));
  CAF_CHECK_EQUAL(plan(uut), "2>1");
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  CAF_CHECK(marks[0].kind == kind::mark);
  CAF_CHECK_EQUAL(marks[0].counts.deliveries, 2u);
  CAF_CHECK_EQUAL(marks[0].counts.crashes, 2u);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(uut.queued(), 1u);
  uut.marked(marks[0].entry);
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  CAF_CHECK_EQUAL(out[0].content.counts().crashes, 1u);
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "ack1");
}

CAF_TEST(no more crash candidates are marked than workers can take) {
  how.max_crashes = 3;
  auto uut = make();
  for (uint64_t i = 1; i <= 9; ++i)
    uut.fetched(0, ev(i).with({2, 0, 1}), true);
  CAF_CHECK_EQUAL(plan(uut) + actions(uut), "");
  uut.add_worker(1, 2);
  uut.add_worker(2, 1);
  CAF_CHECK_EQUAL(plan(uut), "");
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 3u);
  for (auto i = marks.rbegin(); i != marks.rend(); ++i)
    uut.marked(i->entry);
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1 2>2 3>1");
  CAF_CHECK_EQUAL(actions(uut), "");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(actions(uut), "ack1 mark4");
}

CAF_TEST(crash candidates before their last crash are alone at work) {
  how.max_crashes = 3;
  auto uut = make();
  uut.add_worker(1, 8);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i).with({3, 0, 2}), true);
  uut.fetched(0, ev(4));
  CAF_CHECK_EQUAL(plan(uut), "4>1");
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  CAF_CHECK(marks[0].id == (event_id{1, 0}));
  uut.marked(marks[0].entry);
  auto out = dispatch(uut);
  CAF_CHECK_EQUAL(show(out), "1>1");
  CAF_CHECK_EQUAL(plan(uut) + actions(uut), "");
  uut.done(out[0].what, 1, now);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(actions(uut), "ack1"); // Redis may not have the ack yet
  uut.forget(out[0].what);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(actions(uut), "mark2");
  CAF_CHECK_EQUAL(uut.queued(), 2u);
}

CAF_TEST(a crash candidate that fails is none any more and Redis hears of it) {
  how.max_crashes = 3;
  how.max_deliveries = 9;
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1).with({3, 1, 2}), true);
  plan(uut);
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  CAF_CHECK_EQUAL(marks[0].counts.crashes, 3u);
  uut.marked(marks[0].entry);
  auto out = dispatch(uut);
  CAF_REQUIRE_EQUAL(out.size(), 1u);
  uut.failed(out[0].what, 1, "no", {}, now);
  auto counts = take_actions(uut);
  CAF_REQUIRE_EQUAL(counts.size(), 1u);
  CAF_CHECK(counts[0].kind == kind::delay);
  CAF_CHECK_EQUAL(counts[0].counts.failures, 2u);
  CAF_CHECK_EQUAL(counts[0].counts.crashes, 2u);
}

CAF_TEST(a crash candidate whose worker died at another event is marked again) {
  how.max_crashes = 2; // so that it must be alone
  auto uut = make();
  uut.add_worker(1, 2);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2).with({2, 0, 1}), true);
  CAF_CHECK_EQUAL(plan(uut), "1>1");
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  uut.marked(marks[0].entry);
  CAF_CHECK_EQUAL(plan(uut), "2>1");
  uut.worker_died(1, "boom", now);
  uut.add_worker(2, 2);
  CAF_CHECK_EQUAL(plan(uut), "1>2");
  CAF_CHECK_EQUAL(actions(uut), "count1 mark2");
}

CAF_TEST(a crash candidate that is not ours any more is dropped) {
  auto uut = make();
  uut.add_worker(1, 1);
  uut.fetched(0, ev(1).with({2, 0, 1}), true);
  uut.fetched(0, ev(2).with({2, 0, 1}), true);
  plan(uut);
  auto marks = take_actions(uut);
  CAF_REQUIRE_EQUAL(marks.size(), 1u);
  CAF_CHECK(uut.lost(marks[0].entry));
  CAF_CHECK(!uut.lost(marks[0].entry));
  CAF_CHECK_EQUAL(uut.size(), 1u);
  CAF_CHECK_EQUAL(plan(uut), "");
  CAF_CHECK_EQUAL(actions(uut), "mark2");
}

CAF_TEST_FIXTURE_SCOPE_END()
