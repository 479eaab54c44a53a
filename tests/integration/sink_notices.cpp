#define CAF_SUITE integration.sink_notices

#include "support/notice_log.hpp"
#include "support/sink_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

// News must outlive the node, whose actors call it.
struct fixture {
  notice_log news;
  sink_fixture redis;
  recorder& seen = redis.seen;
  raw_client& raw = redis.raw;

  pulse::sink open(std::vector<std::string> streams) {
    auto result = redis.open(sink_fixture::options("billing", streams));
    redis.must(result.on_notice(news.listener()));
    return result;
  }

  sink_info info(pulse::sink& x) {
    return redis.must(x.info());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_notices_tests, fixture)

// -- the group ----------------------------------------------------------------

CAF_TEST(a destroyed group is announced and no event is lost or repeated) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_CHECK(redis.drained("orders", "billing"));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  redis.add_numbers("orders", 10, 10);
  CAF_REQUIRE(seen.wait_for_distinct(20));
  auto told = news.wait(notice::kind::group_recovered);
  CAF_REQUIRE(told);
  CAF_CHECK_EQUAL(told->stream, "orders");
  CAF_CHECK_EQUAL(told->sink, "billing");
  CAF_CHECK(!told->data_loss);
  CAF_CHECK(told->after == seen.all()[9].what.id());
  CAF_CHECK_EQUAL(seen.size(), 20u);
  CAF_CHECK_EQUAL(info(uut).groups_recovered, 1u);
  CAF_CHECK_EQUAL(info(uut).stream_resets, 0u);
  stop(w);
}

CAF_TEST(a stream that begins anew with smaller IDs is read from its start) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  raw({"DEL", "pulse:stream:orders"});
  for (auto id : {"1-1", "1-2", "2-1"})
    raw({"XADD", "pulse:stream:orders", id, "n", "n", "p", id});
  CAF_REQUIRE(seen.wait_for_distinct(13));
  auto told = news.wait(notice::kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->data_loss);
  CAF_CHECK(told->after == event_id::min());
  CAF_CHECK(redis.drained("orders", "billing"));
  CAF_CHECK_EQUAL(info(uut).stream_resets, 1u);
  stop(w);
}

// -- listeners ----------------------------------------------------------------

CAF_TEST(a listener may leave and a dead one is refused) {
  auto uut = open({"orders"});
  notice_log late;
  auto leaves = redis.sys.spawn([&] {
    return caf::behavior{[&](const notice& x) { late.listener()(x); }};
  });
  redis.must(uut.on_notice(leaves));
  auto dead = redis.sys.spawn([] { return caf::behavior{}; });
  CAF_REQUIRE(eventually([&] { return !uut.on_notice(dead); }));
  CAF_CHECK(uut.on_notice(dead).error() == errc::no_such_subscriber);
  caf::scoped_actor self{redis.sys};
  const auto listener = caf::actor_cast<notice_listener>(leaves);
  for (const bool was_one : {true, false})
    self
      ->request(uut.handle(), caf::infinite, caf::unsubscribe_atom_v, listener)
      .receive([&](bool x) { CAF_CHECK_EQUAL(x, was_one); },
               [](const caf::error& err) { CAF_FAIL(describe(err)); });
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  redis.add_numbers("orders", 1);
  CAF_CHECK(news.wait(notice::kind::group_recovered));
  CAF_CHECK(late.all().empty());
  stop(leaves);
  stop(w);
}

CAF_TEST(listeners hear a sink that was started again after a defect) {
  auto uut = open({"orders"});
  caf::anon_send_exit(uut.handle(), caf::exit_reason::unhandled_exception);
  auto again = redis.open(sink_fixture::options("billing", {"orders"}));
  CAF_REQUIRE(eventually([&] {
    again = redis.open(sink_fixture::options("billing", {"orders"}));
    return again.handle() != uut.handle();
  }));
  auto w = spawn_worker(redis.sys, seen);
  redis.must(again.subscribe(w));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  redis.add_numbers("orders", 1);
  CAF_CHECK(news.wait(notice::kind::group_recovered));
  stop(w);
}

CAF_TEST_FIXTURE_SCOPE_END()
