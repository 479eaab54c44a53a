#define CAF_SUITE integration.stream_faults

#include "pulse/core/log.hpp"

#include <caf/event_based_actor.hpp>

#include "support/durable_redis.hpp"
#include "support/redis_fixture.hpp"

#include <map>
#include <mutex>
#include <set>

#include <caf/test/unit_test.hpp>

// What a stream actor promises when something fails: adds are stored once, and
// events that are trimmed, refused or lost are reported.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

// What became of numbered adds.
struct results {
  std::mutex mutex;
  std::map<int, event_id> ids;
  std::vector<std::string> errors;

  size_t size() {
    std::lock_guard<std::mutex> guard{mutex};
    return ids.size() + errors.size();
  }
};

struct fixture : redis_fixture {
  std::mutex log_mutex;
  std::vector<std::string> warnings;

  fixture() : redis_fixture(durable_redis()) {
    set_log_function([this](log_level level, std::string_view line) {
      std::lock_guard<std::mutex> guard{log_mutex};
      if (level >= log_level::warning)
        warnings.emplace_back(line);
    });
  }

  ~fixture() {
    set_log_function(nullptr);
  }

  bool warned_of(const std::string& text) {
    std::lock_guard<std::mutex> guard{log_mutex};
    for (auto& x : warnings)
      if (x.find(text) != std::string::npos)
        return true;
    return false;
  }

  static stream_options options() {
    stream_options result;
    result.name = "s";
    return result;
  }

  int64_t length() {
    return raw.number({"XLEN", "pulse:stream:s"});
  }

  // Adds the numbers from `from` to `to` - 1, `in_flight` at a time.
  caf::actor produce(pulse::stream& to_stream, int from, int to, int in_flight,
                     std::shared_ptr<results> out) {
    return sys.spawn(
      [=, target = to_stream.handle()](caf::event_based_actor* self) {
        auto next = std::make_shared<int>(from);
        auto step = std::make_shared<std::function<void()>>();
        *step = [=, weak = std::weak_ptr<std::function<void()>>{step}] {
          if (*next == to)
            return;
          const auto number = (*next)++;
          self
            ->request(target, caf::infinite, caf::add_atom_v,
                      new_event{"n", std::to_string(number), {}})
            .then(
              [=, again = weak.lock()](event_id id) {
                {
                  std::lock_guard<std::mutex> guard{out->mutex};
                  out->ids.emplace(number, id);
                }
                (*again)();
              },
              [=, again = weak.lock()](const caf::error& why) {
                {
                  std::lock_guard<std::mutex> guard{out->mutex};
                  out->errors.push_back(std::to_string(number) + ": "
                                        + describe(why));
                }
                (*again)();
              });
        };
        for (int i = 0; i < in_flight; ++i)
          (*step)();
      });
  }

  // The payloads of the stream, in order, read page by page.
  std::vector<int> stored(pulse::stream& from) {
    std::vector<int> result;
    range_query page;
    page.limit = 10'000;
    for (;;) {
      const auto events = must(from.range(page));
      for (auto& x : events)
        result.push_back(std::stoi(std::string{x.payload()}));
      if (events.size() < page.limit)
        return result;
      page.from = events.back().id().next();
    }
  }

  // CLIENT ID of the connection whose last command was an add.
  std::string client_that_added() {
    const auto list = raw({"CLIENT", "LIST"});
    const auto end = list.find("cmd=xadd");
    CAF_REQUIRE(end != std::string::npos);
    const auto begin = list.rfind("id=", list.rfind(" addr=", end)) + 3;
    return list.substr(begin, list.find(' ', begin) - begin);
  }

  // Every number confirmed is stored once, and nothing else is.
  void check_once(pulse::stream& where, const results& out, int count) {
    for (auto& x : out.errors)
      CAF_MESSAGE(x);
    CAF_CHECK_EQUAL(out.errors.size(), 0u);
    const auto all = stored(where);
    CAF_CHECK_EQUAL(all.size(), static_cast<size_t>(count));
    CAF_CHECK_EQUAL(std::set<int>(all.begin(), all.end()).size(), all.size());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_fault_tests, fixture)

// -- stored once --------------------------------------------------------------

CAF_TEST(adds whose connections are killed are stored once) {
  auto x = options();
  x.max_len = 0;
  auto uut = must(ps.stream(x));
  auto out = std::make_shared<results>();
  int count = 0;
  auto retried = [&] { return must(uut.info()).counters.retried; };
  // A kill hits no add if it comes while no batch is under way, so it is tried
  // several times.
  for (int i = 0; i < 5 || (i < 100 && retried() == 0); ++i) {
    const auto before = out->size();
    produce(uut, count, count + 4'000, 500, out);
    count += 4'000;
    CAF_REQUIRE(eventually([&] { return out->size() > before + 1'000; }));
    raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    const auto all = static_cast<size_t>(count);
    CAF_REQUIRE(eventually([&] { return out->size() == all; }));
  }
  check_once(uut, *out, count);
  const auto counters = must(uut.info()).counters;
  CAF_MESSAGE("looked for: " << counters.retried
                             << ", had been stored: " << counters.found);
  CAF_CHECK_GREATER(counters.retried, 0u);
  CAF_CHECK_EQUAL(counters.added, static_cast<uint64_t>(count));
}

CAF_TEST(adds that were stored while their replies got lost are found) {
  auto x = options();
  x.max_len = 0; // no trim, so that the add stays the last command
  auto uut = must(ps.stream(x));
  auto out = std::make_shared<results>();
  raw_client killer{server};
  must(uut.add("n", "0"));
  int count = 1;
  // While the server is busy, adds and the end of their connection wait in its
  // queues. It then handles both in one turn, and cannot reply in between. On a
  // busy machine that may fail, so it is tried several times.
  for (int i = 0; i < 20 && must(uut.info()).counters.found == 0; ++i) {
    must(uut.add("n", std::to_string(count++)));
    const auto client = client_that_added();
    std::thread busy{[this] {
      raw({"EVAL",
           "local function now() local t = redis.call('TIME') "
           "return t[1] * 1000 + t[2] / 1000 end "
           "local begin = now() repeat until now() > begin + 500",
           "0"});
    }};
    std::this_thread::sleep_for(100ms);
    produce(uut, count, count + 10, 10, out);
    count += 10;
    std::this_thread::sleep_for(150ms);
    killer({"CLIENT", "KILL", "ID", client});
    busy.join();
    const auto done = static_cast<size_t>(10 * (i + 1));
    CAF_REQUIRE(eventually([&] { return out->size() == done; }));
  }
  check_once(uut, *out, count);
  CAF_CHECK_GREATER(must(uut.info()).counters.found, 0u);
}

CAF_TEST(a restart of Redis neither loses nor doubles an add) {
  constexpr int count = 3'000;
  auto x = options();
  x.max_len = 0;
  auto uut = must(ps.stream(x));
  auto out = std::make_shared<results>();
  produce(uut, 0, count, 50, out);
  for (int i = 0; i < 3; ++i) {
    const auto before = out->size();
    CAF_REQUIRE(eventually(
      [&] { return out->size() > before + 100 || out->size() == count; }));
    server.crash();
    CAF_REQUIRE(server.restart().ok());
  }
  CAF_REQUIRE(eventually([&] { return out->size() == count; }, 60s));
  check_once(uut, *out, count);
}

// -- dedup IDs ----------------------------------------------------------------

CAF_TEST(the same dedup ID of two nodes adds one event) {
  node there{server.url()};
  auto here = must(ps.stream(options()));
  auto other = must(there.pulse->stream(options()));
  const auto first = must(here.add("paid", "100", "eu", "payment 17"));
  const auto second = must(other.add("paid", "100", "eu", "payment 17"));
  CAF_CHECK(first == second);
  CAF_CHECK_EQUAL(length(), 1);
  const auto conflict = other.add("paid", "200", "eu", "payment 17");
  CAF_REQUIRE(!conflict);
  const auto why = describe(conflict.error());
  CAF_MESSAGE(why);
  CAF_CHECK_EQUAL(why.find("dedup_conflict: stream \"s\": "), 0u);
  const auto too_long = here.add("n", "", "", std::string(513, 'x'));
  CAF_REQUIRE(!too_long);
  CAF_CHECK_EQUAL(describe(too_long.error()).find("invalid_name: "), 0u);
}

// -- full streams -------------------------------------------------------------

CAF_TEST(a full stream refuses adds until sinks have caught up) {
  auto x = options();
  x.max_len = 500;
  x.hard_max_len = 1'000;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  const auto filled
    = must(uut.add(std::vector<new_event>(1'001, {"n", "0", {}})));
  CAF_CHECK(filled[999].code == errc::none);
  CAF_CHECK(filled[1'000].code == errc::stream_full);
  CAF_CHECK_EQUAL(length(), 1'000);
  const auto refused = uut.add("n", "1");
  CAF_REQUIRE(!refused);
  const auto why = describe(refused.error());
  CAF_MESSAGE(why);
  CAF_CHECK(why.find("let consumers catch up, or raise hard_max_len")
            != std::string::npos);
  CAF_CHECK(is_transient(to_failure(refused.error()).code));
  CAF_CHECK_EQUAL(must(uut.info()).counters.rejected, 2u);
  CAF_CHECK(warned_of("it is full, hard_max_len is 1000"));
  // The sink acknowledges the events; nothing else has to happen.
  raw({"XREADGROUP", "GROUP", "slow", "c", "COUNT", "800", "STREAMS",
       "pulse:stream:s", ">"});
  for (size_t i = 0; i < 800; ++i)
    raw({"XACK", "pulse:stream:s", "slow", to_string(filled[i].id)});
  CAF_CHECK(eventually([&] { return static_cast<bool>(uut.add("n", "2")); }));
}

CAF_TEST(the oldest events are lost and counted if that is wanted) {
  auto x = options();
  x.max_len = 500;
  x.hard_max_len = 1'000;
  x.on_full = full_policy::drop_oldest;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  must(uut.add(std::vector<new_event>(1'010, {"n", "0", {}})));
  CAF_CHECK_EQUAL(length(), 1'000);
  CAF_CHECK_EQUAL(must(uut.info()).counters.dropped, 10u);
  CAF_CHECK(warned_of("its oldest events are lost"));
}

// -- age ----------------------------------------------------------------------

CAF_TEST(old events go though nothing is added) {
  auto x = options();
  x.max_age = 1s;
  auto uut = must(ps.stream(x));
  must(uut.add(std::vector<new_event>(10, {"n", "0", {}})));
  CAF_CHECK_EQUAL(length(), 10);
  CAF_CHECK(eventually([&] { return length() == 0; }));
  CAF_CHECK(
    eventually([&] { return must(uut.info()).counters.trimmed == 10u; }));
}

CAF_TEST(old events stay while a sink needs them) {
  auto x = options();
  x.max_age = 1s;
  x.group_expiry = 1s;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  const auto first = must(uut.add(std::vector<new_event>(10, {"n", "0", {}})));
  // No node of the sink is alive, and a warning says so.
  CAF_CHECK(
    eventually([&] { return warned_of("sink \"slow\" keeps events"); }));
  CAF_CHECK(warned_of("XGROUP DESTROY pulse:stream:s slow"));
  CAF_CHECK_EQUAL(length(), 10);
  raw({"XREADGROUP", "GROUP", "slow", "c", "COUNT", "4", "STREAMS",
       "pulse:stream:s", ">"});
  for (size_t i = 0; i < 4; ++i)
    raw({"XACK", "pulse:stream:s", "slow", to_string(first[i].id)});
  // The last one delivered is the floor.
  CAF_CHECK(eventually([&] { return length() == 7; }));
}

CAF_TEST(unprotected old events go whatever a sink needs) {
  auto x = options();
  x.max_age = 1s;
  x.protect_unacked = false;
  auto uut = must(ps.stream(x));
  raw({"XGROUP", "CREATE", "pulse:stream:s", "slow", "0", "MKSTREAM"});
  must(uut.add(std::vector<new_event>(10, {"n", "0", {}})));
  CAF_CHECK(eventually([&] { return length() == 0; }));
}

CAF_TEST_FIXTURE_SCOPE_END()
