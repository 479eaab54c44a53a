#define CAF_SUITE integration.sink_notices

#include "support/burst.hpp"
#include "support/durable_redis.hpp"
#include "support/notice_log.hpp"
#include "support/sink_fixture.hpp"

#include <cstdlib>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

// The log must outlive the node, whose actors call it.
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

  void burst(int count, int keep) {
    test::burst(raw, "orders", count, keep);
  }

  // Whether all that was added is delivered or reported.
  bool accounts_for(uint64_t added) {
    return eventually([&] { return seen.distinct() + news.lost() == added; });
  }

  // How often a command was called so far; "xgroup|create", "xreadgroup" …
  int64_t calls(const std::string& command) {
    const auto stats = raw({"INFO", "commandstats"});
    const auto entry = "cmdstat_" + command + ":calls=";
    const auto at = stats.find(entry);
    return at == std::string::npos
             ? 0
             : std::atoll(stats.c_str() + at + entry.size());
  }

  // The attempts of a sink during five seconds of a lasting fault: to create
  // the group, and to read.
  std::pair<int64_t, int64_t> calls_in_five_seconds() {
    const auto creates = calls("xgroup|create");
    const auto reads = calls("xreadgroup");
    std::this_thread::sleep_for(5s);
    return {calls("xgroup|create") - creates, calls("xreadgroup") - reads};
  }

  // With the lease that is the default.
  static sink_options lasting() {
    auto result = sink_fixture::options("billing", {"orders"});
    result.lease = sink_options{}.lease;
    return result;
  }
};

// A server that keeps what it confirmed, but not the number of events that a
// group has read: that is not part of the append-only file.
struct durable_fixture {
  notice_log news;
  sink_fixture redis{durable_redis()};

  // The server is killed when all events were acknowledged, and comes back.
  void crash_after_acks(uint64_t events) {
    CAF_REQUIRE(redis.seen.wait_for_distinct(events));
    CAF_REQUIRE(redis.drained("orders", "billing"));
    redis.server.crash();
    CAF_REQUIRE(redis.server.restart());
    redis.raw = raw_client{redis.server};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sink_notices_durable_tests, durable_fixture)

CAF_TEST(a restart from the append only file is no loss) {
  auto uut = redis.open(sink_fixture::options("billing", {"orders"}));
  redis.must(uut.on_notice(news.listener()));
  auto w = spawn_worker(redis.sys, redis.seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 1'000);
  crash_after_acks(1'000);
  redis.add_numbers("orders", 1'000, 1'000);
  crash_after_acks(2'000);
  // The sink is opened again on the server that lost the count.
  redis.must(uut.close());
  uut = redis.open(sink_fixture::options("billing", {"orders"}));
  redis.must(uut.on_notice(news.listener()));
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10, 2'000);
  CAF_CHECK(redis.seen.wait_for_distinct(2'010));
  std::this_thread::sleep_for(2500ms); // two audits
  for (const auto& x : news.all())
    CAF_ERROR(x.text);
  stop(w);
}

CAF_TEST_FIXTURE_SCOPE_END()

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
  auto told = news.wait(notice_kind::group_recovered);
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
  auto told = news.wait(notice_kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->data_loss);
  CAF_CHECK(told->after == event_id::min());
  CAF_CHECK(redis.drained("orders", "billing"));
  CAF_CHECK_EQUAL(info(uut).stream_resets, 1u);
  stop(w);
}

CAF_TEST(what other members held comes back with the group) {
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "billing", "0", "MKSTREAM"});
  redis.add_numbers("orders", 10);
  // Another member reads six events and then disappears.
  raw({"XREADGROUP", "GROUP", "billing", "dead.1.x", "COUNT", "6", "STREAMS",
       "pulse:stream:orders", ">"});
  auto options = sink_fixture::options("billing", {"orders"});
  options.lease = 20s; // so that nobody takes them over
  auto uut = redis.open(options);
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_count(4));
  // The sink made its first check when it opened the group. After the second
  // one it knows which events others hold.
  CAF_REQUIRE(eventually([&] { return calls("xinfo|stream") > 1; }));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  CAF_CHECK(seen.wait_for_distinct(10));
  CAF_CHECK(redis.drained("orders", "billing"));
  stop(w);
}

CAF_TEST(acks of what was held when the group vanished are harmless) {
  auto options = sink_fixture::options("billing", {"orders"});
  options.ack = ack_mode::manual;
  auto uut = redis.open(options);
  redis.must(uut.on_notice(news.listener()));
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 3);
  CAF_REQUIRE(seen.wait_for_count(3));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  const auto held = seen.all();
  redis.must(uut.ack(held[0].what.delivery()));
  CAF_REQUIRE(news.wait(notice_kind::group_recovered));
  for (int i : {1, 2})
    redis.must(uut.ack(held[static_cast<size_t>(i)].what.delivery()));
  redis.add_numbers("orders", 1, 3);
  CAF_REQUIRE(seen.wait_for_distinct(4));
  // What was acknowledged while there was no group may come once more.
  CAF_CHECK(eventually([&] {
    for (const auto& x : seen.all())
      static_cast<void>(uut.ack(x.what.delivery())); // it may be gone
    return raw.pending("orders", "billing") == 0;
  }));
  CAF_CHECK_EQUAL(seen.distinct(), 4u);
  stop(w);
}

CAF_TEST(a group that vanishes while the sink reads nothing comes back) {
  std::atomic<bool> go{false};
  auto options = sink_fixture::options("billing", {"orders"});
  options.credit = 1;
  auto uut = redis.open(options);
  redis.must(uut.on_notice(news.listener()));
  auto w = spawn_worker(redis.sys, seen, "w", [&](auto*, const event&) {
    while (!go)
      std::this_thread::sleep_for(1ms);
    return ok();
  });
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(1));
  CAF_REQUIRE(eventually([&] { return info(uut).held > 1; }));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  CAF_CHECK(news.wait(notice_kind::group_recovered));
  go = true;
  CAF_CHECK(seen.wait_for_distinct(10));
  CAF_CHECK(redis.drained("orders", "billing"));
  stop(w);
}

CAF_TEST(who waits for a stream that is removed or a sink that closes is told) {
  raw({"SET", "pulse:stream:text", "text"});
  auto uut = open({"orders"});
  redis.server.stop();
  caf::scoped_actor self{redis.sys};
  int failed = 0;
  auto expect_failure = [&](auto request) {
    request.receive([] { CAF_ERROR("it succeeded"); },
                    [&](const caf::error&) { ++failed; });
  };
  auto added = self->request(uut.handle(), caf::infinite, atom::add_stream_v,
                             std::string{"refunds"}, start_position::oldest());
  redis.must(uut.remove_stream("refunds"));
  expect_failure(std::move(added));
  auto again = self->request(uut.handle(), caf::infinite, atom::add_stream_v,
                             std::string{"text"}, start_position::oldest());
  redis.must(uut.close());
  expect_failure(std::move(again));
  CAF_CHECK_EQUAL(failed, 2);
}

CAF_TEST(an expired key and a flush are announced and reading goes on) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_REQUIRE(redis.drained("orders", "billing"));
  raw({"PEXPIRE", "pulse:stream:orders", "10"});
  CAF_CHECK(news.wait(notice_kind::stream_reset));
  redis.add_numbers("orders", 10, 10);
  CAF_REQUIRE(seen.wait_for_count(20));
  raw({"FLUSHALL"});
  redis.add_numbers("orders", 10, 20);
  CAF_REQUIRE(seen.wait_for_count(30));
  CAF_CHECK(eventually([&] { return news.all().size() == 2; }));
  CAF_CHECK_EQUAL(info(uut).groups_recovered, 2u);
  CAF_CHECK_EQUAL(seen.size(), 30u);
  stop(w);
}

CAF_TEST(a key that held something else for a while is read again) {
  auto uut = open({"orders", "refunds"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 1);
  CAF_REQUIRE(seen.wait_for_count(1));
  raw({"SET", "pulse:stream:orders", "text"});
  redis.add_numbers("refunds", 1);
  CAF_REQUIRE(seen.wait_for_count(2)); // the other stream goes on
  raw({"DEL", "pulse:stream:orders"});
  raw({"XADD", "pulse:stream:orders", "1-1", "n", "n", "p", "anew"});
  CAF_CHECK(seen.wait_for_distinct(3));
  CAF_CHECK(news.wait(notice_kind::stream_reset));
  stop(w);
}

CAF_TEST(a server that forgot everything is used again) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  redis.server.crash(); // keeps nothing
  CAF_REQUIRE(redis.server.restart());
  raw_client again{redis.server};
  again({"XADD", "pulse:stream:orders", "1-1", "n", "n", "p", "anew"});
  CAF_CHECK(seen.wait_for_distinct(11));
  auto told = news.wait(notice_kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->data_loss);
  stop(w);
}

CAF_TEST(older data that were restored are announced) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  redis.add_numbers("orders", 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  CAF_REQUIRE(redis.drained("orders", "billing"));
  raw({"SAVE"});
  redis.add_numbers("orders", 10, 10);
  CAF_REQUIRE(seen.wait_for_count(20));
  redis.server.crash();
  CAF_REQUIRE(redis.server.restart());
  auto told = news.wait(notice_kind::stream_reset);
  CAF_REQUIRE(told);
  CAF_CHECK(told->after == seen.all()[9].what.id());
  redis.add_numbers("orders", 10, 20);
  CAF_CHECK(seen.wait_for_count(30));
  CAF_CHECK_EQUAL(info(uut).groups_recovered, 0u);
  stop(w);
}

// -- the stream ---------------------------------------------------------------

CAF_TEST(a flush and a deletion under a backlog are announced as a loss) {
  auto uut = open({"orders"});
  redis.add_numbers("orders", 500); // nobody has subscribed yet
  CAF_REQUIRE(eventually([&] { return calls("xinfo|stream") > 1; }));
  for (const char* command : {"FLUSHALL", "DEL"}) {
    const auto before = news.all().size();
    if (command == "DEL"s)
      raw({command, "pulse:stream:orders"});
    else
      raw({command});
    // The new events have higher IDs than all the old ones.
    redis.add_numbers("orders", 50, 1'000);
    CAF_REQUIRE(eventually([&] { return news.all().size() > before; }));
    const auto told = news.all().back();
    CAF_CHECK(told.kind == notice_kind::stream_reset);
    CAF_CHECK(told.data_loss);
    CAF_CHECK(told.after == event_id::min());
    if (command == "FLUSHALL"s)
      redis.add_numbers("orders", 500, 2'000);
  }
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  CAF_CHECK(seen.wait_for_distinct(50));
  stop(w);
}

CAF_TEST(new events with the IDs of deleted ones are delivered) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  auto add = [&](const std::string& payload) {
    for (auto id : {"1-1", "1-2", "1-3"})
      raw({"XADD", "pulse:stream:orders", id, "n", "n", "p", payload});
  };
  add("old");
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_REQUIRE(redis.drained("orders", "billing"));
  raw({"MULTI"});
  raw({"DEL", "pulse:stream:orders"});
  add("new");
  raw({"EXEC"});
  CAF_CHECK(seen.wait_for_count(6));
  auto told = news.wait(notice_kind::stream_reset);
  CAF_CHECK(told);
  CAF_CHECK(redis.drained("orders", "billing"));
  stop(w);
}

CAF_TEST(a sink that somebody moves forwards says so) {
  auto uut = open({"orders"}); // without subscribers
  redis.add_numbers("orders", 332);
  // The first look stores the count of read events.
  CAF_REQUIRE(eventually([&] { return calls("xgroup|setid") > 0; }));
  raw({"XGROUP", "SETID", "pulse:stream:orders", "billing", "$"});
  auto told = news.wait(notice_kind::gap);
  CAF_REQUIRE(told);
  CAF_CHECK(told->data_loss);
  CAF_CHECK_EQUAL(told->lost_at_most, 332u);
  CAF_CHECK_EQUAL(info(uut).lost, 332u);
}

CAF_TEST(without faults no notice says that events are lost) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  const auto until = std::chrono::steady_clock::now() + 5s;
  uint64_t added = 0;
  while (std::chrono::steady_clock::now() < until) {
    burst(20, 1'000'000);
    added += 20;
    std::this_thread::sleep_for(5ms);
  }
  CAF_CHECK(seen.wait_for_distinct(added));
  CAF_CHECK_EQUAL(news.all().size(), 0u);
  stop(w);
}

// -- lasting faults -----------------------------------------------------------

CAF_TEST(a key that stays wrong costs less than one attempt a second) {
  auto uut = redis.open(lasting());
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  raw({"SET", "pulse:stream:orders", "text"});
  std::this_thread::sleep_for(8s); // until the pauses have grown
  const auto [creates, reads] = calls_in_five_seconds();
  CAF_CHECK_LESS(creates, 5);
  CAF_CHECK_LESS(reads, 5);
  stop(w);
}

CAF_TEST(a group that vanishes again and again makes no loop) {
  auto uut = redis.open(lasting());
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  std::atomic<bool> stays{true};
  std::thread destroyer{[&] {
    raw_client other{redis.server};
    for (int i = 0; stays; ++i) {
      other({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
      std::this_thread::sleep_for(20ms);
    }
  }};
  std::this_thread::sleep_for(8s);
  const auto [creates, reads] = calls_in_five_seconds();
  CAF_CHECK_LESS(creates, 5);
  CAF_CHECK_LESS(reads, 5 + 2); // and two of the lease keeper
  stays = false;
  destroyer.join();
  redis.add_numbers("orders", 10);
  CAF_CHECK(seen.wait_for_distinct(10));
  stop(w);
}

// -- gaps ---------------------------------------------------------------------

CAF_TEST(what was trimmed before the sink had it is reported by one node) {
  // An earlier member took ten events.
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "billing", "0", "MKSTREAM"});
  burst(10, 10);
  raw({"XREADGROUP", "GROUP", "billing", "earlier.1.x", "NOACK", "STREAMS",
       "pulse:stream:orders", ">"});
  const auto taken = redis.must(redis.must(redis.ps.stream("orders")).range());
  CAF_REQUIRE_EQUAL(taken.size(), 10u);
  // There is no subscriber, so the nodes only check the group.
  auto uut = open({"orders"});
  node other_node{redis.server.url()};
  auto other = redis.must(
    other_node.pulse->sink(sink_fixture::options("billing", {"orders"})));
  redis.must(other.on_notice(news.listener()));
  // Both nodes have audited the group.
  CAF_REQUIRE(eventually([&] { return calls("xinfo|stream") > 1; }));
  burst(100, 30);
  auto told = news.wait(notice_kind::gap);
  CAF_REQUIRE(told);
  CAF_CHECK_EQUAL(told->lost_at_most, 70u);
  CAF_CHECK(told->exact);
  CAF_CHECK(told->after == taken.back().id());
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_count(30));
  const auto next = seen.all().front().what.id();
  CAF_CHECK(told->first_available == next);
  std::this_thread::sleep_for(2500ms); // further looks find nothing more
  CAF_CHECK_EQUAL(news.lost(), 70u);
  CAF_CHECK_EQUAL(info(uut).lost + redis.must(other.info()).lost, 70u);
  stop(w);
}

CAF_TEST(what is trimmed under a busy sink is reported) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  for (int i = 0; i < 50; ++i)
    burst(100, 10);
  CAF_CHECK(accounts_for(5'000));
  CAF_MESSAGE(seen.distinct() << " delivered, " << news.lost() << " lost");
  for (auto& x : news.all())
    CAF_MESSAGE(x.text);
  CAF_MESSAGE(raw({"XINFO", "GROUPS", "pulse:stream:orders"}));
  CAF_CHECK(news.lost() > 0u);
  stop(w);
}

CAF_TEST(what was trimmed while all nodes were away is reported) {
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  burst(10, 10);
  CAF_REQUIRE(seen.wait_for_count(10));
  redis.must(uut.close());
  burst(100, 30);
  auto again = open({"orders"});
  redis.must(again.subscribe(w));
  CAF_CHECK(accounts_for(110));
  CAF_CHECK_EQUAL(news.lost(), 70u);
  stop(w);
}

CAF_TEST(pending events of a dead node that were trimmed are reported) {
  raw({"XGROUP", "CREATE", "pulse:stream:orders", "billing", "0", "MKSTREAM"});
  redis.add_numbers("orders", 10);
  raw({"XREADGROUP", "GROUP", "billing", "dead.1.x", "COUNT", "6", "STREAMS",
       "pulse:stream:orders", ">"});
  raw({"XTRIM", "pulse:stream:orders", "MAXLEN", "4"});
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  CAF_CHECK(seen.wait_for_count(4));
  auto told = news.wait(notice_kind::gap);
  CAF_REQUIRE(told);
  CAF_CHECK_EQUAL(told->lost_at_most, 6u);
  CAF_CHECK_EQUAL(info(uut).trimmed, 6u);
  CAF_CHECK_EQUAL(info(uut).lost, 6u);
  CAF_CHECK(redis.drained("orders", "billing"));
  stop(w);
}

CAF_TEST(a new sink misses nothing that was trimmed before it) {
  burst(100, 30);
  auto uut = open({"orders"});
  auto w = spawn_worker(redis.sys, seen);
  redis.must(uut.subscribe(w));
  CAF_REQUIRE(seen.wait_for_count(30));
  CAF_CHECK(eventually([&] {
    return raw({"XINFO", "GROUPS", "pulse:stream:orders"}).find("lag 0")
           != std::string::npos;
  }));
  CAF_CHECK_EQUAL(info(uut).gaps, 0u);
  CAF_CHECK(news.all().empty());
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
  CAF_CHECK(news.wait(notice_kind::group_recovered));
  CAF_CHECK(late.all().empty());
  stop(leaves);
  stop(w);
}

CAF_TEST(listeners hear a sink that was started again after a defect) {
  auto uut = open({"orders"});
  caf::anon_send_exit(uut.handle(), caf::exit_reason::kill);
  auto again = redis.open(sink_fixture::options("billing", {"orders"}));
  CAF_REQUIRE(eventually([&] {
    again = redis.open(sink_fixture::options("billing", {"orders"}));
    return again.handle() != uut.handle();
  }));
  auto w = spawn_worker(redis.sys, seen);
  redis.must(again.subscribe(w));
  raw({"XGROUP", "DESTROY", "pulse:stream:orders", "billing"});
  redis.add_numbers("orders", 1);
  CAF_CHECK(news.wait(notice_kind::group_recovered));
  stop(w);
}

CAF_TEST_FIXTURE_SCOPE_END()
