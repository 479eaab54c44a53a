#define CAF_SUITE integration.lazy_connect

#include "support/redis_fixture.hpp"

#include <atomic>

#include <caf/test/unit_test.hpp>

// connect_mode::lazy: a service starts while Redis is away.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

using steady = std::chrono::steady_clock;

struct fixture {
  local_redis server = redis_fixture::start({});
  pulse::config cfg;
  caf::actor_system sys{cfg};

  redis_options options() {
    redis_options result;
    result.url = server.url();
    result.connect_timeout = 1s;
    result.command_timeout = 1s;
    return result;
  }

  pulse::system connect() {
    return redis_fixture::must(
      pulse::system::connect(sys, options(), connect_mode::lazy));
  }
};

sink_options billing() {
  sink_options result;
  result.name = "billing";
  result.streams = {"orders"};
  result.start = start_position::oldest();
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(lazy_connect_tests, fixture)

CAF_TEST(all that a service starts works when Redis comes) {
  server.stop();
  const auto begin = steady::now();
  auto uut = connect();
  auto stream = redis_fixture::must(uut.stream("orders"));
  reader_options reading;
  reading.streams = {"orders"};
  reading.start = start_position::oldest();
  auto reader = redis_fixture::must(uut.reader(reading));
  auto sink = redis_fixture::must(uut.sink(billing()));
  std::atomic<int> read{0};
  std::atomic<int> handled{0};
  std::atomic<int> worked{0};
  auto counter = [&](std::atomic<int>& x) {
    return sys.spawn([&x](caf::event_based_actor*) {
      return caf::behavior{[&x](const event&) { ++x; }};
    });
  };
  auto who = counter(read);
  auto worker = counter(worked);
  redis_fixture::must(reader.subscribe(who));
  redis_fixture::must(sink.subscribe(worker));
  redis_fixture::must(sink.handle([&](const event&) { ++handled; }, {2}));
  producer_options how;
  how.max_open = 10;
  auto out = redis_fixture::must(stream.producer(how));
  CAF_CHECK(steady::now() - begin < 8s); // at most half a second each
  CAF_CHECK(!uut.ping());
  // Without Redis an add fails in time, and says so.
  redis_fixture::must(out.add("number", "0"));
  const auto failed = redis_fixture::must(out.flush(10s));
  CAF_REQUIRE_EQUAL(failed.size(), 1u);
  CAF_CHECK(is_transient(failed[0].why.code));
  CAF_CHECK(server.restart());
  CAF_CHECK(eventually([&] { return static_cast<bool>(uut.ping()); }));
  for (int i = 0; i < 20; ++i)
    redis_fixture::must(out.add("number", std::to_string(i)));
  CAF_CHECK(redis_fixture::must(out.flush(10s)).empty());
  CAF_CHECK(eventually([&] { return read == 20 && handled + worked == 20; }));
  // The worker and the two of the handler.
  CAF_CHECK(eventually(
    [&] { return redis_fixture::must(sink.info()).subscribers == 3; }));
  CAF_CHECK_EQUAL(read.load(), 20);
  CAF_CHECK_EQUAL(handled + worked, 20);
  for (const auto& x : {who, worker})
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
}

CAF_TEST(with Redis there calls wait for it as always) {
  auto uut = connect();
  auto stream = redis_fixture::must(uut.stream("orders"));
  auto sink = redis_fixture::must(uut.sink(billing()));
  std::atomic<int> handled{0};
  redis_fixture::must(sink.handle([&](const event&) { ++handled; }));
  CAF_CHECK_EQUAL(redis_fixture::must(sink.info()).subscribers, 1u);
  redis_fixture::must(stream.add("number", "1"));
  CAF_CHECK(eventually([&] { return handled == 1; }));
}

CAF_TEST(what is wrong for good is an error of the call or of ping) {
  auto bad = options();
  bad.url = "nonsense://";
  CAF_CHECK(!pulse::system::connect(sys, bad, connect_mode::lazy));
  {
    raw_client raw{server};
    raw({"SET", "pulse:stream:orders", "x"});
    raw({"CONFIG", "SET", "requirepass", "secret"});
  }
  auto uut = connect();
  auto pong = uut.ping();
  CAF_REQUIRE(!pong);
  CAF_CHECK(pong.error() == errc::auth_failed
            || pong.error() == errc::connect_failed);
}

CAF_TEST(a subscription that Redis refuses is an error) {
  {
    raw_client raw{server};
    raw({"SET", "pulse:stream:orders", "x"});
  }
  auto uut = connect();
  auto sink = redis_fixture::must(uut.sink(billing()));
  auto refused = sink.handle([](const event&) {});
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error() == errc::wrong_type);
  auto who = sys.spawn(
    [](caf::event_based_actor*) { return caf::behavior{[](const event&) {}}; });
  auto subscribed = sink.subscribe(who);
  CAF_CHECK(!subscribed && subscribed.error() == errc::wrong_type);
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
}

CAF_TEST_FIXTURE_SCOPE_END()
