#define CAF_SUITE integration.system

#include "pulse/actors/internal/runtime/liveness.hpp"

#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"
#include "support/threads.hpp"
#include "support/tiny_server.hpp"

#include <atomic>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  recorder seen;

  static sink_options billing() {
    sink_options result;
    result.name = "billing";
    result.streams = {"orders"};
    result.start = start_position::oldest();
    result.lease = 1s;
    return result;
  }

  static reader_options everything() {
    reader_options result;
    result.name = "all";
    result.streams = {"orders"};
    result.start = start_position::oldest();
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(system_tests, fixture)

CAF_TEST(connect waits as long as connect_timeout says) {
  tiny_server silent{[](const tiny_server::client& x) { x.wait(); }};
  redis_options options;
  options.url = silent.url();
  options.connect_timeout = 300ms;
  options.command_timeout = 60s;
  const auto begin = std::chrono::steady_clock::now();
  auto result = pulse::system::connect(sys, options);
  CAF_CHECK(std::chrono::steady_clock::now() - begin < 10s);
  CAF_REQUIRE(!result);
  CAF_CHECK(result.error() == errc::connect_failed);
  CAF_CHECK(describe(result.error())
              .find("the peer accepted the connection, "
                    "but")
            != std::string::npos);
}

CAF_TEST(what is open is found again by its name) {
  auto stream = must(ps.stream("orders"));
  auto sink = must(ps.sink(billing()));
  auto reader = must(ps.reader(everything()));
  CAF_CHECK(must(ps.stream("orders")).handle() == stream.handle());
  CAF_CHECK(must(ps.sink(billing())).handle() == sink.handle());
  CAF_CHECK(must(ps.reader(everything())).handle() == reader.handle());
  auto anonymous = everything();
  anonymous.name.clear();
  CAF_CHECK(must(ps.reader(anonymous)).handle()
            != must(ps.reader(anonymous)).handle());
  auto info = must(ps.info());
  CAF_CHECK_EQUAL(info.streams, std::vector<std::string>{"orders"});
  CAF_CHECK_EQUAL(info.sinks, std::vector<std::string>{"billing"});
  CAF_CHECK_EQUAL(info.readers.size(), 3u);
  caf::scoped_actor self{sys};
  self
    ->request(ps.handle(), 5s, caf::get_atom_v, atom::sink_v,
              std::string{"billing"})
    .receive([&](const sink_actor& x) { CAF_CHECK(x == sink.handle()); },
             [](const caf::error& err) { CAF_FAIL(describe(err)); });
  self
    ->request(ps.handle(), 5s, caf::get_atom_v, atom::sink_v, std::string{"no"})
    .receive([](const sink_actor&) { CAF_FAIL("found"); },
             [](const caf::error& err) { CAF_CHECK(err == errc::closed); });
}

CAF_TEST(several threads share the input and output) {
  const auto before = count_threads("pulse.io");
  redis_options options;
  options.url = server.url();
  options.io_threads = 3;
  auto wide = must(pulse::system::connect(sys, options));
  CAF_CHECK_EQUAL(count_threads("pulse.io"), before + 3);
  auto from = everything();
  auto into = billing();
  from.streams.clear();
  into.streams.clear();
  for (int i = 0; i < 12; ++i)
    from.streams.push_back("s" + std::to_string(i));
  into.streams = from.streams;
  for (const auto& x : from.streams)
    must(must(wide.stream(x)).add("number", x));
  recorder handled;
  const auto worker = spawn_worker(sys, handled);
  const auto subscriber = spawn_worker(sys, seen);
  must(must(wide.sink(into)).subscribe(worker));
  must(must(wide.reader(from)).subscribe(subscriber));
  CAF_CHECK(handled.wait_for_distinct(from.streams.size()));
  CAF_CHECK(seen.wait_for_distinct(from.streams.size()));
  must(wide.ping());
  must(wide.close());
  stop(worker);
  stop(subscriber);
  CAF_CHECK(eventually([&] { return count_threads("pulse.io") == before; }));
}

CAF_TEST(what was closed can be opened again at once) {
  for (int i = 0; i < 100; ++i) {
    auto sink = must(ps.sink(billing()));
    CAF_REQUIRE(sink.info());
    must(sink.close());
    auto stream = must(ps.stream("orders"));
    must(stream.add("number", "1"));
    must(stream.close());
  }
}

CAF_TEST(objects go on with actors that were restarted) {
  auto stream = must(ps.stream("orders"));
  auto sink = must(ps.sink(billing()));
  auto reader = must(ps.reader(everything()));
  const auto copy = sink;
  for (int i = 0; i < 3; ++i) {
    const auto before = sink.handle();
    for (const auto& x : {caf::actor_cast<caf::actor>(stream.handle()),
                          caf::actor_cast<caf::actor>(reader.handle()),
                          caf::actor_cast<caf::actor>(before)})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    // A call that was under way when the actor died fails.
    CAF_CHECK(
      eventually([&] { return sink.info() && sink.handle() != before; }));
    CAF_CHECK(eventually([&] { return reader.info() && stream.info(); }));
    must(stream.add("number", std::to_string(i)));
    CAF_CHECK(copy.handle() == sink.handle());
  }
  CAF_CHECK_EQUAL(must(ps.info()).restarts, 9u);
  // A close is for good, also if somebody opens the sink again.
  must(sink.close());
  auto next = must(ps.sink(billing()));
  CAF_CHECK(!sink.info());
  must(sink.close());
  must(next.info());
}

CAF_TEST(calls without waiting go on with an actor that was restarted) {
  auto orders = must(ps.stream("orders"));
  const auto before = orders.handle();
  caf::anon_send_exit(before, caf::exit_reason::kill);
  CAF_REQUIRE(eventually([&] { return !internal::is_alive(before); }));
  must(orders.add_async("n", "p").get());
  CAF_CHECK(orders.handle() != before);
  must(orders.close());
  auto closed = orders.add_async("n", "p").get();
  CAF_REQUIRE(!closed);
  CAF_CHECK(closed.error() == errc::closed
            || to_failure(closed.error()).code == errc::closed);
}

CAF_TEST(a handler that Redis keeps waiting for longer than its limit is stopped) {
  auto sink = must(ps.sink(billing()));
  raw({"CLIENT", "PAUSE", "2000", "ALL"});
  auto late = sink.within(100ms).handle([](const event&) {});
  CAF_REQUIRE(!late);
  CAF_CHECK(late.error() == errc::timed_out);
  CAF_CHECK(describe(late.error()).find("handler was stopped")
            != std::string::npos);
}

CAF_TEST(what is closed can be opened again with other options) {
  must(must(ps.sink(billing())).close());
  auto other = billing();
  other.max_in_flight = 5;
  CAF_CHECK(eventually([&] { return static_cast<bool>(ps.sink(other)); }));
}

CAF_TEST(bad options are refused before anything is opened) {
  auto bad_name = ps.stream("a*b");
  CAF_CHECK(!bad_name && bad_name.error() == errc::invalid_name);
  auto pattern = everything();
  pattern.filter.topic_pattern = "a(b";
  auto bad_pattern = ps.reader(pattern);
  CAF_REQUIRE(!bad_pattern);
  CAF_CHECK(bad_pattern.error() == errc::invalid_pattern);
  auto lease = billing();
  lease.lease = 1ms;
  auto bad_lease = ps.sink(lease);
  CAF_REQUIRE(!bad_lease);
  CAF_CHECK(bad_lease.error() == errc::invalid_option);
  CAF_CHECK(describe(bad_lease.error()).find("lease") != std::string::npos);
  CAF_CHECK(must(ps.info()).sinks.empty());
}

CAF_TEST(an endpoint without Redis is a clear error) {
  auto wrong_port = pulse::system::connect(sys, "redis://127.0.0.1:1");
  CAF_REQUIRE(!wrong_port);
  CAF_CHECK(wrong_port.error() == errc::connect_failed);
  CAF_CHECK(describe(wrong_port.error()).find("127.0.0.1:1")
            != std::string::npos);
  auto nonsense = pulse::system::connect(sys, "http://localhost");
  CAF_CHECK(!nonsense && nonsense.error() == errc::invalid_endpoint);
  raw({"CONFIG", "SET", "requirepass", "secret"});
  auto no_password = pulse::system::connect(sys, server.url());
  CAF_REQUIRE(!no_password);
  CAF_CHECK(no_password.error() == errc::auth_failed);
  redis_options wrong;
  wrong.url = server.url();
  wrong.password = "wrong-guess";
  auto wrong_password = pulse::system::connect(sys, wrong);
  CAF_REQUIRE(!wrong_password);
  CAF_CHECK(wrong_password.error() == errc::auth_failed);
  CAF_CHECK(describe(wrong_password.error()).find("wrong-guess")
            == std::string::npos);
}

CAF_TEST(a sink that dies of a defect is back with its subscribers) {
  auto sink = must(ps.sink(billing()));
  auto w = spawn_worker(sys, seen);
  must(sink.subscribe(w));
  add_numbers("orders", 3);
  CAF_REQUIRE(seen.wait_for_count(3));
  caf::anon_send_exit(sink.handle().address(), caf::exit_reason::kill);
  add_numbers("orders", 3, 3);
  CAF_CHECK(seen.wait_for_distinct(6));
  CAF_CHECK_EQUAL(must(ps.info()).restarts, 1u);
  CAF_CHECK(must(ps.sink(billing())).handle() != sink.handle());
  stop(w);
}

// The lease is longer than the test, so nothing comes because it is over.
CAF_TEST(what a sink held that died of a defect comes again at once) {
  for (auto mode : {dispatch_mode::balanced, dispatch_mode::keyed,
                    dispatch_mode::broadcast}) {
    CAF_MESSAGE(to_string(mode));
    auto options = billing();
    options.streams = {to_string(mode)};
    options.dispatch = mode;
    options.lease = 10min;
    options.backoff = {2s};
    auto sink = must(ps.sink(options));
    std::atomic<bool> waits{true};
    recorder got;
    auto w = spawn_worker(sys, got, "w",
                          [&waits](caf::event_based_actor* self,
                                   const event& x) -> caf::result<void> {
                            if (x.topic() == "fails"
                                && x.counts().failures == 0)
                              return make_error({errc::handler_failed, "no"});
                            return waits ? keep_unanswered(self, x) : caf::unit;
                          });
    must(sink.subscribe(w));
    auto stream = must(ps.stream(to_string(mode)));
    must(stream.add("n", "a", "fails"));
    must(stream.add("n", "b", "other"));
    CAF_REQUIRE(got.wait_for_count(2));
    CAF_REQUIRE(eventually([&] { return must(sink.info()).nacks == 1; }));
    waits = false;
    caf::anon_send_exit(sink.handle().address(), caf::exit_reason::kill);
    CAF_REQUIRE(got.wait_for_count(4));
    // A worker had the one event when the sink died, and nobody the other.
    for (const auto& x : got.all()) {
      const auto& n = x.what.counts();
      if (n.deliveries > 1)
        CAF_CHECK_EQUAL(n.crashes, x.what.topic() == "fails" ? 0u : 1u);
      CAF_CHECK_EQUAL(n.failures,
                      n.deliveries > 1 && x.what.topic() == "fails" ? 1u : 0u);
    }
    must(must(ps.sink(options)).close());
    stop(w);
  }
}

CAF_TEST(a reader that dies of a defect is back with its subscribers) {
  auto options = everything();
  options.start = start_position::newest();
  auto reader = must(ps.reader(options));
  auto w = spawn_worker(sys, seen);
  must(reader.subscribe(w));
  add_numbers("orders", 3);
  CAF_REQUIRE(seen.wait_for_count(3));
  caf::anon_send_exit(reader.handle().address(), caf::exit_reason::kill);
  CAF_REQUIRE(eventually([&] {
    auto again = ps.reader(options);
    auto info = again ? again->info() : again.error();
    return info && info->subscribers == 1;
  }));
  add_numbers("orders", 3, 3);
  CAF_CHECK(seen.wait_for_distinct(6));
  stop(w);
}

CAF_TEST(closing the system drains everything and is repeatable) {
  auto stream = must(ps.stream("orders"));
  auto sink = must(ps.sink(billing()));
  auto w = spawn_worker(sys, seen, "w", [](auto*, const event&) {
    std::this_thread::sleep_for(20ms);
    return ok();
  });
  must(sink.subscribe(w));
  add_numbers("orders", 5);
  CAF_REQUIRE(seen.wait_for_count(1));
  must(ps.close());
  must(ps.close());
  // Events that a worker had begun were finished and acknowledged; this node
  // holds nothing any more.
  CAF_CHECK_EQUAL(raw.number({"XPENDING", "pulse:stream:orders", "billing"}),
                  5 - static_cast<int64_t>(seen.size()));
  auto late = stream.add("n", "p");
  CAF_CHECK(!late && to_failure(late.error()).code == errc::closed);
  stop(w);
}

CAF_TEST_FIXTURE_SCOPE_END()
