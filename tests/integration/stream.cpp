#define CAF_SUITE integration.stream

#include <caf/event_based_actor.hpp>

#include "support/durable_redis.hpp"
#include "support/redis_fixture.hpp"

#include <mutex>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  explicit fixture(const local_redis_options& options = {})
    : redis_fixture(options) {
    // nop
  }

  stream_options options(std::string name) {
    stream_options result;
    result.name = std::move(name);
    return result;
  }

  pulse::stream open(const std::string& name) {
    return must(ps.stream(name));
  }

  // What went wrong, "none" if nothing did.
  template <class T>
  static std::string why(const caf::expected<T>& x) {
    return x ? "none" : describe(x.error());
  }

  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  std::string length(const std::string& stream) {
    return raw({"XLEN", raw_client::stream_key_of(stream)});
  }

  // Fails the test unless the IDs grow.
  static void check_order(const std::vector<event_id>& ids) {
    for (size_t i = 1; i < ids.size(); ++i)
      CAF_REQUIRE(ids[i - 1] < ids[i]);
  }

  std::vector<add_result> add_batch(pulse::stream& uut, size_t count,
                                    const std::string& payload = "x") {
    return must(
      uut.add(std::vector<new_event>(count, new_event{"batch", payload, ""})));
  }
};

// Adds `count` events without waiting in between, and keeps the results.
struct producer_result {
  std::mutex mutex;
  std::vector<event_id> ids;
  std::vector<std::string> errors;

  size_t size() {
    std::lock_guard<std::mutex> guard{mutex};
    return ids.size() + errors.size();
  }
};

caf::actor spawn_producer(caf::actor_system& sys, const stream_actor& target,
                          int count, std::shared_ptr<producer_result> result) {
  return sys.spawn([=](caf::event_based_actor* self) {
    for (int i = 0; i < count; ++i)
      self
        ->request(target, caf::infinite, caf::add_atom_v,
                  new_event{"produced", std::to_string(i), ""})
        .then(
          [=](event_id id) {
            std::lock_guard<std::mutex> guard{result->mutex};
            result->ids.push_back(id);
          },
          [=](caf::error& err) {
            std::lock_guard<std::mutex> guard{result->mutex};
            result->errors.push_back(describe(err));
          });
  });
}

struct small_memory : fixture {
  static local_redis_options limits() {
    local_redis_options result;
    result.config = {"maxmemory 3mb", "maxmemory-policy noeviction"};
    return result;
  }

  small_memory() : fixture(limits()) {
    // nop
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_tests, fixture)

// -- adding -------------------------------------------------------------------

CAF_TEST(a thousand adds one by one are stored in order) {
  auto uut = open("s");
  std::vector<event_id> ids;
  for (int i = 0; i < 1'000; ++i)
    ids.push_back(must(uut.add("number", std::to_string(i))));
  check_order(ids);
  auto events = must(uut.range({{}, event_id::max(), 1'000}));
  CAF_REQUIRE_EQUAL(events.size(), 1'000u);
  for (size_t i = 0; i < events.size(); ++i) {
    CAF_REQUIRE(events[i].id() == ids[i]);
    CAF_REQUIRE_EQUAL(events[i].payload(), std::to_string(i));
  }
}

CAF_TEST(a thousand adds in one batch are stored in order) {
  auto uut = open("s");
  std::vector<new_event> events;
  for (int i = 0; i < 1'000; ++i)
    events.push_back({"number", std::to_string(i), ""});
  auto results = must(uut.add(events));
  CAF_REQUIRE_EQUAL(results.size(), 1'000u);
  std::vector<event_id> ids;
  for (auto& x : results) {
    CAF_REQUIRE(x.code == errc::none);
    ids.push_back(x.id);
  }
  check_order(ids);
  auto stored = must(uut.range({{}, event_id::max(), 1'000}));
  CAF_REQUIRE_EQUAL(stored.size(), 1'000u);
  for (size_t i = 0; i < stored.size(); ++i)
    CAF_REQUIRE_EQUAL(stored[i].payload(), std::to_string(i));
}

CAF_TEST(each of several producers finds its events in its order) {
  auto uut = open("s");
  std::vector<std::shared_ptr<producer_result>> results;
  for (int i = 0; i < 4; ++i) {
    results.push_back(std::make_shared<producer_result>());
    spawn_producer(sys, uut.handle(), 500, results.back());
  }
  for (auto& result : results) {
    CAF_REQUIRE(eventually([&] { return result->size() == 500; }));
    CAF_CHECK(result->errors.empty());
    check_order(result->ids);
  }
  CAF_CHECK_EQUAL(length("s"), "2000");
}

CAF_TEST(entries have the fields of goadesign pulse in its order) {
  auto x = options("s");
  x.idempotent = false;
  auto uut = must(ps.stream(x));
  auto first = to_string(must(uut.add("placed", "payload", "eu")));
  auto second = to_string(must(uut.add("placed", "payload")));
  CAF_CHECK_EQUAL(raw({"XRANGE", "pulse:stream:s", "-", "+"}),
                  first + " n placed p payload t eu " + second
                    + " n placed p payload");
}

CAF_TEST(idempotent adds put their own field behind the others) {
  auto uut = open("s");
  must(uut.add("placed", "payload", "eu"));
  const auto entry = raw({"XRANGE", "pulse:stream:s", "-", "+"});
  const auto fields = entry.substr(entry.find(' '));
  CAF_CHECK_EQUAL(fields.find(" n placed p payload t eu u "), 0u);
}

CAF_TEST(payloads come back as they were) {
  auto uut = open("s");
  std::string all_bytes;
  for (int i = 0; i < 256; ++i)
    all_bytes += static_cast<char>(i);
  for (auto& payload :
       {std::string{}, all_bytes, "\r\n$1\r\n"s, std::string(3'000'000, 'x')}) {
    must(uut.add("bytes", payload));
    auto info = must(uut.info());
    auto events = must(uut.range({info.last, info.last, 1}));
    CAF_REQUIRE_EQUAL(events.size(), 1u);
    CAF_CHECK(events[0].payload() == payload);
    CAF_CHECK(events[0].well_formed());
  }
}

CAF_TEST(a payload over the limit is refused and the rest is added) {
  auto x = options("s");
  x.max_payload = 1'000;
  auto uut = must(ps.stream(x));
  CAF_CHECK(has(why(uut.add("a", std::string(1'001, 'x'))),
                "payload_too_large: event \"a\" for stream \"s\""));
  CAF_CHECK_EQUAL(why(uut.add("a", std::string(1'000, 'x'))), "none");
  auto results = must(uut.add(
    {{"a", "x", ""}, {"b", std::string(1'001, 'x'), ""}, {"c", "x", ""}}));
  CAF_CHECK(results[0].code == errc::none);
  CAF_CHECK(results[1].code == errc::payload_too_large);
  CAF_CHECK(results[2].code == errc::none);
  CAF_CHECK_EQUAL(length("s"), "3");
}

CAF_TEST(adding only to an existing stream) {
  auto uut = open("s");
  CAF_CHECK(
    has(why(uut.add_if_exists("a", "x")), "no_such_stream: stream \"s\""));
  CAF_CHECK_EQUAL(raw({"EXISTS", "pulse:stream:s"}), "0");
  must(uut.add("a", "x"));
  CAF_CHECK_EQUAL(why(uut.add_if_exists("a", "x")), "none");
  CAF_CHECK_EQUAL(length("s"), "2");
}

// -- what Redis refuses -------------------------------------------------------

CAF_TEST(a key of another type is named in every failure) {
  raw({"SET", "pulse:stream:s", "x"});
  auto uut = open("s");
  const auto start = "wrong_type: stream \"s\": WRONGTYPE"s;
  CAF_CHECK_EQUAL(why(uut.add("a", "x")).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.remove({{1, 1}})).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.range()).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.trim(1)).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.info()).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.retention()).find(start), 0u);
  CAF_CHECK_EQUAL(why(uut.destroy()).find(start), 0u);
  CAF_CHECK_EQUAL(raw({"GET", "pulse:stream:s"}), "x");
}

CAF_TEST(a replica refuses adds until it is a master again) {
  auto uut = open("s");
  must(uut.add("a", "x"));
  // No server listens at that address, so the replica keeps its data.
  raw({"REPLICAOF", "127.0.0.1", "1"});
  const auto refused = why(uut.add("a", "x"));
  CAF_CHECK(has(refused, "read_only: stream \"s\": READONLY"));
  CAF_CHECK(has(refused, "connect to the master"));
  CAF_CHECK_EQUAL(must(uut.info()).length, 1u);
  raw({"REPLICAOF", "NO", "ONE"});
  CAF_CHECK(eventually([&] { return static_cast<bool>(uut.add("a", "x")); }));
}

CAF_TEST(a dead server fails adds and its return makes them work again) {
  auto other = start(durable_redis());
  redis_options how;
  how.url = other.url();
  how.command_timeout = 500ms;
  auto there = must(pulse::system::connect(sys, how));
  auto uut = must(there.stream("s"));
  must(uut.add("a", "x"));
  auto result = std::make_shared<producer_result>();
  other.crash();
  const auto begin = std::chrono::steady_clock::now();
  spawn_producer(sys, uut.handle(), 2'000, result);
  CAF_REQUIRE(eventually([&] { return result->size() == 2'000; }));
  CAF_CHECK(result->ids.empty());
  for (auto& x : result->errors)
    CAF_REQUIRE(has(x, "connect_failed: stream \"s\"")
                || has(x, "connection_lost: stream \"s\""));
  // One after the other, their deadlines would take 1000 s.
  CAF_CHECK(std::chrono::steady_clock::now() - begin < 1min);
  CAF_REQUIRE(other.restart().ok());
  CAF_CHECK(eventually([&] { return static_cast<bool>(uut.add("a", "x")); }));
}

// -- managing -----------------------------------------------------------------

CAF_TEST(info counts events and groups) {
  auto uut = open("s");
  CAF_CHECK(has(why(uut.info()), "no_such_stream: stream \"s\""));
  auto results = add_batch(uut, 10);
  raw({"XGROUP", "CREATE", "pulse:stream:s", "g", "0"});
  raw({"XREADGROUP", "GROUP", "g", "c", "COUNT", "4", "STREAMS",
       "pulse:stream:s", ">"});
  raw({"XACK", "pulse:stream:s", "g", to_string(results[0].id)});
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.name, "s");
  CAF_CHECK_EQUAL(info.length, 10u);
  CAF_CHECK_EQUAL(info.added, 10u);
  CAF_CHECK(info.first == results.front().id);
  CAF_CHECK(info.last == results.back().id);
  CAF_REQUIRE_EQUAL(info.groups.size(), 1u);
  CAF_CHECK_EQUAL(info.groups[0].name, "g");
  CAF_CHECK_EQUAL(info.groups[0].consumers, 1u);
  CAF_CHECK_EQUAL(info.groups[0].pending, 3u);
  CAF_CHECK_EQUAL(info.groups[0].lag, 6);
  CAF_CHECK(info.groups[0].last_delivered == results[3].id);
}

CAF_TEST(a range is limited by IDs and number) {
  auto uut = open("s");
  CAF_CHECK(must(uut.range()).empty());
  auto results = add_batch(uut, 10);
  auto ids = [&](range_query query) {
    std::vector<event_id> result;
    for (auto& x : must(uut.range(query)))
      result.push_back(x.id());
    return result;
  };
  CAF_CHECK_EQUAL(ids({}).size(), 10u);
  CAF_CHECK(
    ids({results[2].id, results[4].id, 100})
    == std::vector<event_id>({results[2].id, results[3].id, results[4].id}));
  CAF_CHECK(ids({results[2].id, results[4].id, 1})
            == std::vector<event_id>({results[2].id}));
  CAF_CHECK(ids({results[4].id, results[2].id, 100}).empty());
}

CAF_TEST(removing counts what existed) {
  auto uut = open("s");
  CAF_CHECK_EQUAL(must(uut.remove({{1, 1}})), 0u);
  auto results = add_batch(uut, 3);
  CAF_CHECK_EQUAL(must(uut.remove({results[0].id, results[2].id, {1, 1}})), 2u);
  CAF_CHECK_EQUAL(must(uut.remove({results[0].id})), 0u);
  auto left = must(uut.range());
  CAF_REQUIRE_EQUAL(left.size(), 1u);
  CAF_CHECK(left[0].id() == results[1].id);
}

CAF_TEST(trimming by request is exact and spares nothing) {
  auto uut = open("s");
  CAF_CHECK_EQUAL(must(uut.trim(5)), 0u);
  add_batch(uut, 150);
  raw({"XGROUP", "CREATE", "pulse:stream:s", "g", "0"});
  CAF_CHECK_EQUAL(must(uut.trim(7)), 143u);
  CAF_CHECK_EQUAL(length("s"), "7");
  CAF_CHECK_EQUAL(must(uut.trim(0)), 7u);
}

CAF_TEST(a destroyed stream comes back with the next add) {
  auto uut = open("s");
  CAF_CHECK_EQUAL(must(uut.destroy()), false);
  add_batch(uut, 3);
  raw({"XGROUP", "CREATE", "pulse:stream:s", "g", "0"});
  CAF_CHECK_EQUAL(must(uut.destroy()), true);
  CAF_CHECK_EQUAL(raw({"EXISTS", "pulse:stream:s"}), "0");
  must(uut.add("a", "x"));
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.length, 1u);
  CAF_CHECK(info.groups.empty());
}

// -- time to live -------------------------------------------------------------

CAF_TEST(an absolute time to live counts from the first event) {
  auto x = options("s");
  x.ttl = 60s;
  auto uut = must(ps.stream(x));
  must(uut.add("a", "x"));
  CAF_REQUIRE_EQUAL(raw({"PEXPIRE", "pulse:stream:s", "30000"}), "1");
  add_batch(uut, 10);
  const auto left = raw.number({"PTTL", "pulse:stream:s"});
  CAF_CHECK(left > 0);
  CAF_CHECK(left <= 30'000);
  CAF_CHECK_EQUAL(length("s"), "11");
}

CAF_TEST(a sliding time to live counts from the last event) {
  auto x = options("s");
  x.ttl = 60s;
  x.ttl_kind = ttl_mode::sliding;
  auto uut = must(ps.stream(x));
  must(uut.add("a", "x"));
  CAF_REQUIRE_EQUAL(raw({"PEXPIRE", "pulse:stream:s", "30000"}), "1");
  add_batch(uut, 10);
  const auto left = raw.number({"PTTL", "pulse:stream:s"});
  CAF_CHECK(left > 30'000);
  CAF_CHECK(left <= 60'000);
}

CAF_TEST(a stream expires with everything) {
  auto x = options("s");
  x.ttl = 50ms;
  auto uut = must(ps.stream(x));
  must(uut.add("a", "x"));
  CAF_CHECK(eventually([&] { return has(why(uut.info()), "no_such_stream"); }));
}

CAF_TEST(failures in a transaction reach their events) {
  raw({"SET", "pulse:stream:s", "x"});
  auto x = options("s");
  x.ttl = 60s;
  auto uut = must(ps.stream(x));
  for (auto& result : add_batch(uut, 3))
    CAF_CHECK(result.code == errc::wrong_type);
}

// -- retention ----------------------------------------------------------------

CAF_TEST(unprotected streams keep about max_len events) {
  auto x = options("s");
  x.max_len = 500;
  x.protect_unacked = false;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  for (int i = 0; i < 5; ++i)
    add_batch(uut, 1'000);
  CAF_CHECK(eventually([&] { return std::stoi(length("s")) <= 600; }));
  CAF_CHECK(std::stoi(length("s")) >= 500);
  const auto info = must(uut.info());
  CAF_CHECK(info.lost >= 4'400 && info.lost <= 4'500);
  CAF_CHECK_EQUAL(info.counters.lost, info.lost);
}

// What one process chose must not be undone by another one.
CAF_TEST(what a stream keeps is the same for all processes) {
  auto everything = open("s");
  for (int i = 0; i < 20; ++i)
    add_batch(everything, 1'000);
  test::node other{server.url()};
  auto x = options("s");
  x.max_len = 1'000;
  CAF_CHECK(
    has(why(other.pulse->stream(x)),
        "retention_conflict: stream \"s\": RETENTION nothing limits the "
        "stream so far, and max_len = 1000 would remove 19000 of its "
        "20000 events"));
  CAF_CHECK_EQUAL(length("s"), "20000");
  x.retention = retention_mode::change;
  auto changed = must(other.pulse->stream(x));
  must(changed.add("a", "x"));
  CAF_CHECK(eventually([&] { return std::stoi(length("s")) <= 1'100; }));
  must(changed.close());
  x.retention = retention_mode::check;
  x.max_len = 5'000;
  CAF_CHECK(
    has(why(other.pulse->stream(x)), "RETENTION max_len is 1000, not 5000"));
  must(other.pulse->stream("s"));
  CAF_CHECK_EQUAL(raw({"HGET", "{pulse:stream:s}:retention", "max_len"}),
                  "1000");
  CAF_CHECK(must(everything.destroy()));
  CAF_CHECK_EQUAL(raw({"EXISTS", "{pulse:stream:s}:retention"}), "0");
}

CAF_TEST(protected streams without sinks keep about max_len events) {
  auto x = options("s");
  x.max_len = 500;
  auto uut = must(ps.stream(x));
  for (int i = 0; i < 20; ++i)
    add_batch(uut, 300);
  CAF_CHECK(eventually([&] {
    const auto left = std::stoi(length("s"));
    return left >= 500 && left <= 600;
  }));
}

CAF_TEST(protected streams keep what a sink has not acknowledged) {
  auto x = options("s");
  x.max_len = 500;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  std::vector<add_result> all;
  for (int i = 0; i < 10; ++i)
    for (auto& result : add_batch(uut, 300))
      all.push_back(result);
  CAF_CHECK_EQUAL(length("s"), "3000");
  // The sink gets and acknowledges 1000 events; the next adds trim these.
  raw({"XREADGROUP", "GROUP", "slow", "c", "COUNT", "1000", "STREAMS",
       "pulse:stream:s", ">"});
  for (size_t i = 0; i < 1'000; ++i)
    raw({"XACK", "pulse:stream:s", "slow", to_string(all[i].id)});
  add_batch(uut, 300);
  CAF_CHECK(eventually([&] { return std::stoi(length("s")) <= 2'400; }));
  CAF_CHECK(std::stoi(length("s")) >= 2'300);
  auto first = must(uut.range({all[1'000].id, all[1'000].id, 1}));
  CAF_CHECK_EQUAL(first.size(), 1u);
}

// -- closing ------------------------------------------------------------------

CAF_TEST(close stores everything that was accepted) {
  auto uut = open("s");
  auto result = std::make_shared<producer_result>();
  spawn_producer(sys, uut.handle(), 5'000, result);
  CAF_REQUIRE(eventually([&] { return result->size() > 0; }));
  CAF_CHECK_EQUAL(why(uut.close()), "none");
  CAF_CHECK(eventually([&] { return result->size() == 5'000; }));
  CAF_CHECK_EQUAL(length("s"), std::to_string(result->ids.size()));
  for (auto& x : result->errors)
    CAF_REQUIRE_EQUAL(x.find("closed: "), 0u);
  CAF_CHECK_EQUAL(why(uut.close()), "none");
  CAF_CHECK_EQUAL(why(open("s").add("a", "x")), "none");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(small_memory_tests, small_memory)

CAF_TEST(a full server refuses adds until there is room again) {
  for (auto ttl : {0s, 60s}) {
    auto x = options(ttl.count() > 0 ? "expiring" : "lasting");
    x.ttl = ttl;
    auto uut = must(ps.stream(x));
    must(uut.add("a", "x"));
    // Buffers of connections count as well. When they shrink, there is room for
    // a few more.
    std::string refused = "none";
    for (int i = 0, in_a_row = 0; i < 10'000 && in_a_row < 20; ++i) {
      refused = why(uut.add("a", std::string(10'000, 'x')));
      in_a_row = refused == "none" ? 0 : in_a_row + 1;
    }
    CAF_CHECK_EQUAL(refused.find("out_of_memory: stream \"" + x.name + '"'),
                    0u);
    for (auto& result : add_batch(uut, 3, std::string(10'000, 'x')))
      CAF_CHECK(result.code == errc::out_of_memory);
    CAF_CHECK_EQUAL(must(uut.destroy()), true);
    CAF_CHECK(eventually([&] { return static_cast<bool>(uut.add("a", "x")); }));
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
