#define CAF_SUITE integration.dead_letters

#include "support/sink_fixture.hpp"

#include <csignal>

#include <caf/test/unit_test.hpp>

// Dead letters are listed, redriven and purged.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : sink_fixture {
  recorder seen;
  pulse::stream orders = must(ps.stream("orders"));
  bool healthy = false;

  // A sink whose worker rejects all events until `healthy`.
  pulse::sink open(const std::string& name) {
    sink_options x;
    x.name = name;
    x.streams = {"orders"};
    x.start = start_position::oldest();
    x.sweep_interval = 100ms;
    return must(ps.sink(x));
  }

  caf::actor rejecting_worker() {
    return spawn_worker(sys, seen, {},
                        [this](auto*, const event&) -> caf::result<void> {
                          if (healthy)
                            return caf::unit;
                          return term("no such customer");
                        });
  }

  std::vector<dead_letter> letters(const std::string& sink = "billing") {
    dead_query query;
    query.sink = sink;
    query.limit = 1'000;
    return must(orders.dead_letters(query));
  }

  bool wait_for_letters(size_t n) {
    return eventually([&] { return letters().size() == n; });
  }

  void add(int n) {
    std::vector<new_event> events;
    for (int i = 0; i < n; ++i)
      events.push_back({"placed", std::to_string(i), "eu"});
    must(orders.add(std::move(events)));
  }

  template <class T>
  static std::string why(const caf::expected<T>& x) {
    return x ? "none" : describe(x.error());
  }

  // The server is stopped as long as this object exists.
  struct server_pause {
    explicit server_pause(const local_redis& x) : pid(x.pid()) {
      ::kill(pid, SIGSTOP);
    }
    ~server_pause() {
      ::kill(pid, SIGCONT);
    }
    int pid;
  };

  static redrive_request all() {
    redrive_request result;
    result.sink = "billing";
    result.rate = 0;
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(dead_letter_tests, fixture)

CAF_TEST(a dead letter says what happened) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  const auto id = must(orders.add("placed", "payload", "eu"));
  CAF_REQUIRE(wait_for_letters(1));
  const auto x = letters().at(0);
  CAF_CHECK(x.origin.id == id);
  CAF_CHECK_EQUAL(x.origin.stream, "orders");
  CAF_CHECK_EQUAL(x.sink, "billing");
  CAF_CHECK(!x.node.empty());
  CAF_CHECK_EQUAL(x.reason, "no such customer");
  CAF_CHECK_EQUAL(x.name, "placed");
  CAF_CHECK_EQUAL(x.payload, "payload");
  CAF_CHECK_EQUAL(x.topic, "eu");
  CAF_CHECK_EQUAL(x.counts.deliveries, 1u);
  CAF_CHECK_EQUAL(x.redrives, 0u);
  CAF_CHECK(x.time.count() >= static_cast<int64_t>(id.ms));
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 0);
  // A sink without any has an empty list.
  CAF_CHECK(letters("audit").empty());
  stop(worker);
}

CAF_TEST(a redriven event goes to its sink only and is done there) {
  auto sink = open("billing");
  recorder audited;
  auto other = open("audit");
  auto auditor = spawn_worker(sys, audited, {});
  auto worker = rejecting_worker();
  must(other.subscribe(auditor));
  must(sink.subscribe(worker));
  add(3);
  CAF_REQUIRE(wait_for_letters(3));
  CAF_REQUIRE(audited.wait_for_count(3));
  healthy = true;
  const auto done = must(orders.redrive(all()));
  CAF_CHECK_EQUAL(done.redriven, 3u);
  CAF_CHECK_EQUAL(done.skipped_limit + done.skipped_missing, 0u);
  CAF_CHECK(letters().empty());
  CAF_REQUIRE(seen.wait_for_count(6));
  CAF_CHECK(eventually([&] { return raw.pending("orders", "billing") == 0; }));
  CAF_CHECK_EQUAL(audited.size(), 3u);
  const auto length = must(orders.info()).length;
  CAF_CHECK_EQUAL(length, 3u);
  stop(worker);
  stop(auditor);
}

CAF_TEST(an event that dies again carries its history and is skipped) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  add(1);
  CAF_REQUIRE(wait_for_letters(1));
  auto request = all();
  request.max_redrives = 2;
  for (uint32_t i = 1; i <= 2; ++i) {
    CAF_CHECK_EQUAL(must(orders.redrive(request)).redriven, 1u);
    CAF_REQUIRE(wait_for_letters(1));
    const auto x = letters().at(0);
    CAF_CHECK_EQUAL(x.redrives, i);
    const auto lines = std::count(x.history.begin(), x.history.end(), '\n') + 1;
    CAF_CHECK_EQUAL(lines, static_cast<int64_t>(i));
    CAF_CHECK(x.history.find(" no such customer") != std::string::npos);
  }
  const auto done = must(orders.redrive(request));
  CAF_CHECK_EQUAL(done.redriven, 0u);
  CAF_CHECK_EQUAL(done.skipped_limit, 1u);
  CAF_CHECK_EQUAL(letters().size(), 1u);
  stop(worker);
}

CAF_TEST(what dies again while all are redriven is left alone) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  add(30);
  CAF_REQUIRE(wait_for_letters(30));
  auto request = all();
  request.rate = 20; // so slow that events fail again during the redrive
  const auto begin = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(must(orders.redrive(request)).redriven, 30u);
  CAF_CHECK(std::chrono::steady_clock::now() - begin > 1s);
  CAF_CHECK(wait_for_letters(30));
  for (auto& x : letters())
    CAF_CHECK_EQUAL(x.redrives, 1u);
  stop(worker);
}

CAF_TEST(letters may be named and those whose event is gone stay) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  add(3);
  CAF_REQUIRE(wait_for_letters(3));
  const auto before = letters();
  must(orders.remove({before[1].origin.id}));
  auto request = all();
  request.letters = {before[0].id, before[1].id};
  const auto done = must(orders.redrive(request));
  CAF_CHECK_EQUAL(done.redriven, 1u);
  CAF_CHECK_EQUAL(done.skipped_missing, 1u);
  CAF_CHECK(wait_for_letters(3));
  stop(worker);
}

CAF_TEST(letters are purged by ID or by age or all) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  add(5);
  CAF_REQUIRE(wait_for_letters(5));
  const auto before = letters();
  purge_request request;
  request.sink = "billing";
  request.letters = {before[4].id};
  CAF_CHECK_EQUAL(must(orders.purge(request)), 1u);
  request.letters.clear();
  request.before = before[2].id;
  CAF_CHECK_EQUAL(must(orders.purge(request)), 2u);
  CAF_CHECK(letters().at(0).id == before[2].id);
  request.before = event_id::max();
  CAF_CHECK_EQUAL(must(orders.purge(request)), 2u);
  CAF_CHECK(letters().empty());
  stop(worker);
}

CAF_TEST(the oldest letters make room and are counted) {
  sink_options x;
  x.name = "billing";
  x.streams = {"orders"};
  x.start = start_position::oldest();
  x.dead_letter_max_len = 100;
  auto sink = must(ps.sink(x));
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  add(500);
  CAF_REQUIRE(
    eventually([&] { return must(sink.info()).dead_letters == 500; }));
  const auto left = letters().size();
  CAF_CHECK(left >= 100 && left < 300);
  CAF_CHECK_EQUAL(must(sink.info()).dead_letters_removed, 500 - left);
  stop(worker);
}

CAF_TEST(bad requests are refused and change nothing) {
  dead_query query;
  CAF_CHECK_EQUAL(why(orders.dead_letters(query)).find("invalid_name"), 0u);
  query.sink = "billing";
  query.limit = 1'001;
  CAF_CHECK_EQUAL(why(orders.dead_letters(query)),
                  "invalid_option: stream \"orders\": dead letters of sink "
                  "\"billing\": the limit of a list is 1001: use 1 to 1000");
  auto request = all();
  request.letters.resize(1'001);
  CAF_CHECK(why(orders.redrive(request)).find("name at most 1000")
            != std::string::npos);
  // Without dead letters there is nothing to do.
  CAF_CHECK_EQUAL(must(orders.redrive(all())).redriven, 0u);
  raw({"SET", "pulse:stream:orders:dead:billing", "x"});
  CAF_CHECK_EQUAL(why(orders.redrive(all())).find("wrong_type"), 0u);
  query.limit = 1;
  CAF_CHECK_EQUAL(why(orders.dead_letters(query)).find("wrong_type"), 0u);
}

CAF_TEST(an entry of thousands of fields can be given up) {
  auto sink = open("billing");
  auto worker = rejecting_worker();
  must(sink.subscribe(worker));
  std::vector<std::string> monster{
    "XADD", "pulse:stream:orders", "*", "n", "monster", "p", "x"};
  for (int i = 0; i < 9'000; ++i)
    monster.push_back("f" + std::to_string(i));
  raw(monster);
  CAF_REQUIRE(wait_for_letters(1));
  const auto x = letters().at(0);
  CAF_CHECK_EQUAL(x.name, "monster");
  CAF_CHECK_EQUAL(x.payload, "x");
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 0);
  stop(worker);
}

CAF_TEST(closing answers who waits) {
  server_pause pause{server};
  caf::scoped_actor self{sys};
  dead_query query;
  query.sink = "billing";
  auto request = self->request(orders.handle(), caf::infinite, atom::dead_v,
                               query);
  self->send(orders.handle(), caf::close_atom_v);
  request.receive(
    [](const std::vector<dead_letter>&) { CAF_ERROR("answered"); },
    [](const caf::error& why) { CAF_CHECK(why == errc::closed); });
}

CAF_TEST(letters of entries that somebody else wrote are shown as they are) {
  raw({"XADD", "pulse:stream:orders:dead:billing", "1-1", "k", "v"});
  const auto all_of_them = letters();
  CAF_REQUIRE_EQUAL(all_of_them.size(), 1u);
  CAF_CHECK_EQUAL(all_of_them[0].reason, "");
  CAF_CHECK_EQUAL(must(orders.redrive(all())).skipped_missing, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
