#define CAF_SUITE integration.reader_notices

#include "support/burst.hpp"
#include "support/notice_log.hpp"
#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"
#include "support/waiting_worker.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture {
  // They must outlive the node, whose actors use them.
  notice_log news;
  recorder seen;
  redis_fixture redis;
  raw_client& raw = redis.raw;
  caf::actor worker = spawn_worker(redis.sys, seen);

  ~fixture() {
    stop(worker);
  }

  pulse::reader open(uint32_t buffer = 1'000) {
    reader_options x;
    x.streams = {"numbers"};
    x.buffer = buffer;
    auto result = redis.must(redis.ps.reader(x));
    redis.must(result.on_notice(news.listener()));
    return result;
  }

  pulse::reader open_subscribed() {
    auto result = open();
    redis.must(result.subscribe(worker));
    return result;
  }

  void burst(int count, int keep) {
    test::burst(raw, "numbers", count, keep);
  }

  // @returns whether each event that was added was delivered once, or reported
  // once.
  bool accounts_for(uint64_t added) {
    return eventually([&] { return seen.distinct() + news.lost() == added; });
  }

  void add_with_ids(const std::vector<std::string>& ids) {
    for (auto& id : ids)
      raw({"XADD", "pulse:stream:numbers", id, "n", "n", "p", id});
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(reader_notices_tests, fixture)

// -- gaps ---------------------------------------------------------------------

CAF_TEST(what was trimmed while nobody was subscribed is reported) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  redis.must(uut.unsubscribe(worker));
  burst(100, 30);
  redis.must(uut.subscribe(worker));
  CAF_REQUIRE(seen.wait_for_count(40));
  auto told = news.wait(notice_kind::gap);
  CAF_REQUIRE(told);
  CAF_CHECK_EQUAL(told->lost_at_most, 70u);
  CAF_CHECK(told->exact);
  CAF_CHECK(told->data_loss);
  const auto all = seen.all();
  CAF_CHECK(told->after == all[9].what.id());
  CAF_CHECK(told->first_available == all[10].what.id());
  CAF_CHECK_EQUAL(redis.must(uut.info()).lost, 70u);
}

CAF_TEST(what was trimmed during an outage is reported) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  for (uint64_t i = 1; i <= 5; ++i) {
    raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    burst(100, 10);
    CAF_REQUIRE(accounts_for(10 + 100 * i));
  }
  CAF_CHECK(news.lost() > 0u);
}

CAF_TEST(what is trimmed under a busy reader is reported) {
  auto uut = open_subscribed();
  for (int i = 0; i < 50; ++i)
    burst(100, 10);
  CAF_CHECK(accounts_for(5'000));
  CAF_CHECK(news.lost() > 0u);
}

CAF_TEST(what a slow subscriber missed and was trimmed is reported) {
  recorder late;
  const auto go = make_flag();
  auto uut = open(16);
  auto slow = spawn_worker(redis.sys, late, "slow", waits_for(go));
  redis.must(uut.subscribe(slow));
  redis.must(uut.subscribe(worker));
  burst(1'000, 1'000);
  CAF_REQUIRE(seen.wait_for_count(1'000));
  raw({"XTRIM", "pulse:stream:numbers", "MAXLEN", "100"});
  *go = true;
  CAF_REQUIRE(news.wait(notice_kind::gap));
  CAF_CHECK(eventually([&] { return late.size() + news.lost() == 1'000; }));
  CAF_CHECK_EQUAL(redis.must(uut.info()).gaps, 1u);
  stop(slow);
}

CAF_TEST(a start that was trimmed already is reported with a bound) {
  burst(100, 100);
  auto first = redis.must(redis.must(redis.ps.stream("numbers")).range());
  raw({"XTRIM", "pulse:stream:numbers", "MAXLEN", "50"});
  reader_options x;
  x.streams = {"numbers"};
  x.start = start_position::after(first[19].id());
  auto uut = redis.must(redis.ps.reader(x));
  redis.must(uut.on_notice(news.listener()));
  redis.must(uut.subscribe(worker));
  auto told = news.wait(notice_kind::gap);
  CAF_REQUIRE(told);
  CAF_CHECK(told->after == first[19].id());
  CAF_CHECK(told->first_available == first[50].id());
  CAF_CHECK(!told->exact);
  CAF_CHECK_EQUAL(told->lost_at_most, 50u);
  CAF_CHECK(seen.wait_for_count(50));
}

// -- another stream -----------------------------------------------------------

CAF_TEST(a stream that is deleted and has smaller IDs is read from its start) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"DEL", "pulse:stream:numbers"});
  add_with_ids({"1-1", "1-2", "2-1"});
  CAF_CHECK(seen.wait_for_distinct(13));
  auto told = news.wait(notice_kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->data_loss);
  CAF_CHECK_EQUAL(told->stream, "numbers");
  CAF_CHECK_EQUAL(told->sink, "");
  // The next events are delivered as usual.
  add_with_ids({"2-2", "3-1"});
  CAF_CHECK(seen.wait_for_distinct(15));
  CAF_CHECK_EQUAL(redis.must(uut.info()).stream_resets, 1u);
  CAF_CHECK_EQUAL(redis.must(uut.info()).lost, 0u);
}

CAF_TEST(a flush and an expired key are reported and reading goes on) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"FLUSHALL"});
  CAF_CHECK(news.wait(notice_kind::stream_reset));
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(20));
  raw({"PEXPIRE", "pulse:stream:numbers", "10"});
  CAF_CHECK(eventually([&] { return news.all().size() == 2; }));
  burst(10, 10);
  CAF_CHECK(seen.wait_for_count(30));
  CAF_CHECK_EQUAL(redis.must(uut.info()).stream_resets, 2u);
  CAF_CHECK_EQUAL(seen.size(), 30u);
}

CAF_TEST(a key that held something else for a while is read again) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"SET", "pulse:stream:numbers", "text"});
  CAF_REQUIRE(eventually([&] {
    auto info = redis.must(uut.info());
    return info.read_failures > 0;
  }));
  raw({"DEL", "pulse:stream:numbers"});
  add_with_ids({"1-1", "1-2"});
  CAF_CHECK(seen.wait_for_distinct(12));
  CAF_CHECK(news.wait(notice_kind::stream_reset));
}

CAF_TEST(a server that forgot everything is read again) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  redis.server.crash();
  CAF_REQUIRE(redis.server.restart());
  raw_client again{redis.server};
  again({"XADD", "pulse:stream:numbers", "1-1", "n", "n", "p", "1"});
  CAF_CHECK(seen.wait_for_distinct(11));
  CAF_CHECK(news.wait(notice_kind::stream_reset));
}

CAF_TEST(older data that were restored are not read twice) {
  auto uut = open_subscribed();
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"SAVE"});
  burst(10, 20);
  CAF_REQUIRE(seen.wait_for_count(20));
  redis.server.crash();
  CAF_REQUIRE(redis.server.restart());
  raw_client again{redis.server};
  CAF_CHECK_EQUAL(again.number({"XLEN", "pulse:stream:numbers"}), 10);
  auto told = news.wait(notice_kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->after == seen.all()[9].what.id());
  again({"XADD", "pulse:stream:numbers", "*", "n", "n", "p", "1"});
  CAF_CHECK(seen.wait_for_count(21));
  CAF_CHECK_EQUAL(seen.size(), 21u);
}

CAF_TEST_FIXTURE_SCOPE_END()
