#define CAF_SUITE core.delivery.batches

#include "support/ledger_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

// The ledger and workers that get their events in batches.

namespace {

struct fixture : ledger_fixture {
  using blame = ledger::blame;
  using dispatches = std::vector<ledger::dispatch>;

  fixture() {
    how.max_crashes = 3;
  }

  static void fetch_all(ledger& uut, uint64_t first, uint64_t last) {
    for (; first <= last; ++first)
      uut.fetched(0, ev(first));
  }

  // The messages, as in "1+2>1 3>2", in the order in which they begin.
  static std::string show(const dispatches& all) {
    std::vector<std::pair<uint32_t, std::string>> messages;
    for (const auto& x : all) {
      const auto id = std::to_string(x.content.id().ms);
      auto i = std::find_if(messages.begin(), messages.end(), [&](auto& y) {
        return x.batch != 0 && y.first == x.batch;
      });
      if (i != messages.end())
        i->second.insert(i->second.find('>'), "+" + id);
      else
        messages.emplace_back(x.batch, id + ">" + std::to_string(x.to));
    }
    std::string result;
    for (const auto& [number, text] : messages)
      result += (result.empty() ? "" : " ") + text;
    return result;
  }

  std::string messages(ledger& uut) {
    return show(dispatch(uut));
  }

  void finish(ledger& uut, const dispatches& all) {
    for (const auto& x : all)
      uut.done(x.what, x.to, now);
  }

  void fail(ledger& uut, const dispatches& batch) {
    for (const auto& x : batch)
      uut.failed(x.what, x.to, "no", {}, now, blame::batch);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(batches_tests, fixture)

// -- who gets what ------------------------------------------------------------

CAF_TEST(a batch has what has arrived and at most max_batch events) {
  auto uut = make();
  uut.add_worker(1, 6, 3);
  fetch_all(uut, 1, 2);
  CAF_CHECK_EQUAL(messages(uut), "1+2>1");
  fetch_all(uut, 3, 9);
  CAF_CHECK_EQUAL(messages(uut), "3+4+5>1"); // there is no credit for another
  CAF_CHECK_EQUAL(uut.dispatched(), 5u);
}

CAF_TEST(what arrives while a worker is busy is gathered) {
  auto uut = make();
  uut.add_worker(1, 20, 10);
  fetch_all(uut, 1, 4);
  const auto first = dispatch(uut);
  CAF_CHECK_EQUAL(show(first), "1+2+3+4>1");
  fetch_all(uut, 5, 7);
  CAF_CHECK_EQUAL(messages(uut), "");
  CAF_CHECK_EQUAL(uut.queued(), 3u);
  finish(uut, first);
  CAF_CHECK_EQUAL(messages(uut), "5+6+7>1");
  fetch_all(uut, 8, 10);
  CAF_CHECK_EQUAL(messages(uut), "8+9+10>1"); // as many as it has
}

CAF_TEST(workers that are idle share what has arrived) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  uut.add_worker(2, 8, 4);
  fetch_all(uut, 1, 5);
  CAF_CHECK_EQUAL(messages(uut), "1+3+5>1 2+4>2");
}

CAF_TEST(single events and batches mix) {
  auto uut = make();
  uut.add_worker(1, 3);
  uut.add_worker(2, 8, 4);
  fetch_all(uut, 1, 8);
  CAF_CHECK_EQUAL(messages(uut), "1>1 2+4+6+7>2 3>1 5>1");
}

CAF_TEST(a worker may change from single events to batches) {
  auto uut = make();
  uut.add_worker(1, 4);
  fetch_all(uut, 1, 2);
  const auto first = dispatch(uut);
  CAF_CHECK_EQUAL(show(first), "1>1 2>1");
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 3, 4);
  CAF_CHECK_EQUAL(messages(uut), "3+4>1");
  uut.add_worker(1, 8);
  fetch_all(uut, 5, 6);
  CAF_CHECK_EQUAL(messages(uut), "5>1 6>1");
}

CAF_TEST(a keyed batch has one event of each topic) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 8, 4);
  uint64_t id = 0;
  for (const auto* topic : {"a", "b", "a", "c", "b"})
    uut.fetched(0, ev(++id, topic));
  const auto first = dispatch(uut);
  CAF_CHECK_EQUAL(show(first), "1+2+4>1");
  // A part that failed keeps the later events of its topic waiting.
  uut.failed(first[1].what, 1, "no", {}, now);
  uut.done(first[0].what, 1, now);
  uut.done(first[2].what, 1, now);
  CAF_CHECK_EQUAL(messages(uut), "3>1");
  pass(uut, 200ms);
  CAF_CHECK_EQUAL(messages(uut), "2>1");
}

CAF_TEST(in keyed mode each worker gathers its own topics) {
  how.dispatch = dispatch_mode::keyed;
  auto uut = make();
  uut.add_worker(1, 20, 10);
  uut.add_worker(2, 20, 10);
  for (uint64_t i = 1; i <= 16; ++i)
    uut.fetched(0, ev(i, "t" + std::to_string(i)));
  const auto all = dispatch(uut);
  CAF_CHECK_EQUAL(all.size(), 16u);
  CAF_CHECK_EQUAL(all.front().batch, 1u);
  CAF_CHECK_EQUAL(all.back().batch, 2u);
}

CAF_TEST(in broadcast mode workers of both kinds get each event) {
  how.dispatch = dispatch_mode::broadcast;
  auto uut = make();
  uut.add_worker(1, 4);
  uut.add_worker(2, 8, 4);
  fetch_all(uut, 1, 2);
  const auto all = dispatch(uut);
  CAF_CHECK_EQUAL(show(all), "1>1 1+2>2 2>1");
  // Nobody waits until the other worker can get a large batch.
  fetch_all(uut, 3, 3);
  CAF_CHECK_EQUAL(messages(uut), "3>1 3>2");
  finish(uut, all);
  CAF_CHECK_EQUAL(actions(uut), "ack1 ack2");
}

// -- failures -----------------------------------------------------------------

CAF_TEST(the events of a batch that failed come again alone) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 3);
  fail(uut, dispatch(uut));
  CAF_CHECK_EQUAL(uut.count().nacks, 3u);
  CAF_CHECK_EQUAL(actions(uut), "delay1 delay2 delay3");
  for (const auto& [due, x] : delayed)
    CAF_CHECK_EQUAL(x.counts.failures, 1u);
  fetch_all(uut, 4, 5);
  CAF_CHECK_EQUAL(messages(uut), "4+5>1");
  pass(uut, 200ms);
  CAF_CHECK_EQUAL(messages(uut), "1>1 2>1 3>1");
}

CAF_TEST(a part of a batch fails and the rest is acknowledged) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 3);
  const auto batch = dispatch(uut);
  uut.failed(batch[1].what, 1, "no", {}, now);
  uut.rejected(batch[2].what, 1, "never", now);
  uut.done(batch[0].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "delay2 dead3 ack1");
  CAF_CHECK_EQUAL(uut.dispatched(), 0u);
}

CAF_TEST(a batch makes no dead letters if max_deliveries is 1) {
  how.max_deliveries = 1;
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 2);
  fail(uut, dispatch(uut));
  CAF_CHECK_EQUAL(actions(uut), "delay1 delay2");
  CAF_CHECK_EQUAL(delayed[0].second.counts.failures, 0u);
  CAF_CHECK_GREATER(delayed[0].second.pause, 0ms);
  pass(uut, 200ms);
  const auto again = dispatch(uut);
  CAF_CHECK_EQUAL(show(again), "1>1 2>1");
  uut.failed(again[0].what, 1, "no", {}, now);
  uut.done(again[1].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "dead1 ack2");
}

CAF_TEST(one event of a batch may become a dead letter at its first failure) {
  how.max_deliveries = 1;
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 2);
  const auto batch = dispatch(uut);
  uut.failed(batch[0].what, 1, "no", {}, now);
  uut.done(batch[1].what, 1, now);
  CAF_CHECK_EQUAL(actions(uut), "dead1 ack2");
}

CAF_TEST(a failed batch keeps its order if there is no pause) {
  how.dispatch = dispatch_mode::keyed;
  how.backoff = {0ms};
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 3);
  auto batch = dispatch(uut);
  std::reverse(batch.begin(), batch.end());
  fail(uut, batch);
  CAF_CHECK_EQUAL(messages(uut), "1>1 2>1 3>1");
}

CAF_TEST(a copy that failed in a batch is blamed for nothing) {
  how.dispatch = dispatch_mode::broadcast;
  how.max_deliveries = 1;
  auto uut = make();
  uut.add_worker(1, 8, 4);
  uut.add_worker(2, 8);
  fetch_all(uut, 1, 2);
  const auto all = dispatch(uut);
  CAF_CHECK_EQUAL(show(all), "1+2>1 1>2 2>2");
  uut.failed(all[0].what, 1, "no", {}, now, blame::batch);
  uut.failed(all[2].what, 1, "no", {}, now, blame::batch);
  uut.done(all[1].what, 2, now);
  uut.failed(all[3].what, 2, "no", {}, now);
  CAF_CHECK_EQUAL(actions(uut), "count1 dead2");
  pass(uut, 200ms);
  const auto again = dispatch(uut);
  CAF_CHECK_EQUAL(show(again), "1>1");
  uut.failed(again[0].what, 1, "no", {}, now);
  CAF_CHECK_EQUAL(actions(uut), "count1 dead1");
}

// -- time ---------------------------------------------------------------------

CAF_TEST(a batch that is late fails as a whole) {
  how.max_deliveries = 1;
  auto uut = make();
  uut.add_worker(1, 8, 2);
  fetch_all(uut, 1, 4);
  const auto all = dispatch(uut);
  CAF_CHECK_EQUAL(show(all), "1+2>1 3+4>1");
  pass(uut, 1s);
  CAF_CHECK_EQUAL(uut.count().timeouts, 2u);
  CAF_CHECK_EQUAL(actions(uut), "delay2 delay1");
  uut.add_worker(2, 8, 4);
  CAF_CHECK_EQUAL(messages(uut), "3>2 4>2"); // uncounted, but alone
  // A late answer counts, as that for a single event.
  finish(uut, {all[0], all[1]});
  CAF_CHECK_EQUAL(actions(uut), "count3 count4 ack1 ack2");
}

CAF_TEST(extending an event extends its batch) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  fetch_all(uut, 1, 3);
  const auto batch = dispatch(uut);
  pass(uut, 900ms);
  CAF_CHECK(uut.extend(batch[2].what, 1, now));
  pass(uut, 900ms);
  CAF_CHECK_EQUAL(uut.dispatched(), 3u);
  pass(uut, 100ms);
  CAF_CHECK_EQUAL(uut.dispatched(), 0u);
}

// -- crashes ------------------------------------------------------------------

CAF_TEST(all events of the batch of a dead worker are suspects) {
  auto uut = make();
  uut.add_worker(1, 4, 2);
  fetch_all(uut, 1, 4);
  CAF_CHECK_EQUAL(messages(uut), "1+2>1 3+4>1");
  uut.worker_died(1, "segfault", now);
  CAF_CHECK_EQUAL(uut.count().crashes, 2u);
  uut.add_worker(2, 8, 4);
  const auto again = dispatch(uut);
  CAF_CHECK_EQUAL(show(again), "1>2 2>2 3>2 4>2");
  CAF_CHECK_EQUAL(again[0].content.counts().crashes, 1u);
  CAF_CHECK_EQUAL(again[1].content.counts().crashes, 1u);
  CAF_CHECK_EQUAL(again[2].content.counts().crashes, 0u);
  CAF_CHECK_EQUAL(again[2].content.counts().deliveries, 2u);
}

CAF_TEST(one event that kills its workers makes no others dead letters) {
  auto uut = make();
  fetch_all(uut, 1, 3);
  std::string acked;
  // Event 2 kills each worker that has it first.
  for (worker_id w = 1; w <= 4; ++w) {
    uut.add_worker(w, 8, 4);
    const auto all = dispatch(uut);
    for (const auto& x : all)
      if (all.front().batch != all.back().batch && x.content.id().ms != 2)
        uut.done(x.what, w, now);
    uut.worker_died(w, "segfault", now);
  }
  std::string dead;
  for (const auto& x : take_actions(uut))
    if (x.kind == kind::dead_letter)
      dead += std::to_string(x.id.ms) + ": " + x.reason;
    else if (x.kind == kind::ack)
      acked += std::to_string(x.id.ms);
  CAF_CHECK_EQUAL(dead, "2: its worker died 3 times; the last time: segfault");
  CAF_CHECK_EQUAL(acked, "13");
}

CAF_TEST(the crash of a batch makes no dead letters if max_crashes is 1) {
  how.max_crashes = 1;
  auto uut = make();
  fetch_all(uut, 1, 2);
  uut.add_worker(1, 8, 4);
  dispatch(uut);
  uut.worker_died(1, "segfault", now);
  uut.add_worker(2, 8, 4);
  CAF_CHECK_EQUAL(messages(uut), "1>2 2>2");
  uut.worker_died(2, "segfault", now);
  uut.add_worker(3, 8, 4);
  CAF_CHECK_EQUAL(messages(uut), "2>3");
  CAF_CHECK_EQUAL(actions(uut), "count1 count2 dead1 count2");
}

CAF_TEST(a suspect that leaves no doubt is blamed) {
  how.max_crashes = 1;
  auto uut = make();
  fetch_all(uut, 1, 2);
  uut.add_worker(1, 8, 4);
  const auto batch = dispatch(uut);
  uut.done(batch[1].what, 1, now); // by a manual ack
  uut.worker_died(1, "segfault", now);
  CAF_CHECK_EQUAL(actions(uut), "ack2 dead1");
}

CAF_TEST(a worker that quits gives its batch back) {
  auto uut = make();
  fetch_all(uut, 1, 3);
  uut.add_worker(1, 8, 4);
  dispatch(uut);
  uut.worker_quit(1, now);
  uut.add_worker(2, 8, 4);
  CAF_CHECK_EQUAL(messages(uut), "1>2 2>2 3>2");
  CAF_CHECK_EQUAL(uut.count().nacks, 0u);
}

CAF_TEST(candidates of a dead node come alone after their mark) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  for (uint64_t i = 1; i <= 3; ++i)
    uut.fetched(0, ev(i), true);
  fetch_all(uut, 4, 6);
  CAF_CHECK_EQUAL(messages(uut), "4+5+6>1");
  for (const auto& x : take_actions(uut))
    uut.marked(x.entry);
  CAF_CHECK_EQUAL(messages(uut), "3>1 2>1 1>1");
}

CAF_TEST(an event that another node delivered before comes alone) {
  auto uut = make();
  uut.add_worker(1, 8, 4);
  uut.fetched(0, ev(1));
  uut.fetched(0, ev(2).with({2, 0, 0}));
  fetch_all(uut, 3, 4);
  CAF_CHECK_EQUAL(messages(uut), "1>1 2>1 3+4>1");
}

CAF_TEST_FIXTURE_SCOPE_END()
