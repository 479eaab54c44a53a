#define CAF_SUITE integration.producer

#include "pulse/core/log.hpp"

#include "support/durable_redis.hpp"
#include "support/redis_fixture.hpp"
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <caf/test/unit_test.hpp>

// stream::producer(): order, the window, and what becomes of events that fail.

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

struct fixture : redis_fixture {
  fixture() : redis_fixture(durable_redis()) {
    // nop
  }

  // The payloads of a stream, in order.
  std::vector<std::string> stored(const std::string& name) {
    // Every test has it open, some with other options.
    pulse::stream uut{sys,
                      must(ask<stream_actor>(sys, ps.handle(), caf::get_atom_v,
                                             atom::stream_v, name))};
    std::vector<std::string> result;
    range_query query;
    query.limit = 10'000;
    for (;;) {
      const auto page = must(uut.range(query));
      for (const auto& x : page)
        result.emplace_back(x.payload());
      if (page.size() < query.limit)
        return result;
      query.from = page.back().id();
      ++query.from.seq;
    }
  }

  static std::vector<std::string> numbers(int n) {
    std::vector<std::string> result;
    for (int i = 0; i < n; ++i)
      result.push_back(std::to_string(i));
    return result;
  }

  static producer_options window(uint32_t max_open) {
    producer_options result;
    result.max_open = max_open;
    return result;
  }
};

// Failed events that a handler has taken.
struct taken {
  std::mutex mutex;
  std::vector<failed_add> events;

  void add(failed_add x) {
    std::lock_guard<std::mutex> guard{mutex};
    events.push_back(std::move(x));
  }

  size_t size() {
    std::lock_guard<std::mutex> guard{mutex};
    return events.size();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(producer_tests, fixture)

CAF_TEST(adds keep their order and the window its bound) {
  auto uut = must(must(ps.stream("s")).producer(window(50)));
  for (int i = 0; i < 5'000; ++i)
    must(uut.add("number", std::to_string(i)));
  CAF_CHECK(must(uut.flush(20s)).empty());
  const auto info = uut.info();
  CAF_CHECK_EQUAL(info.added, 5'000u);
  CAF_CHECK_EQUAL(info.most_open, 50u);
  CAF_CHECK_EQUAL(info.open, 0u);
  CAF_CHECK(stored("s") == numbers(5'000));
}

CAF_TEST(each add is stored once though the server is killed) {
  auto uut = must(must(ps.stream("s")).producer(window(200)));
  std::thread killer{[this] {
    for (int i = 0; i < 2; ++i) {
      std::this_thread::sleep_for(150ms);
      server.crash();
      CAF_CHECK(server.restart());
    }
  }};
  int n = 0;
  const auto end = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < end || n < 2'000)
    must(uut.add("number", std::to_string(n++)));
  killer.join();
  const auto failed = must(uut.flush(30s));
  CAF_CHECK(failed.empty());
  CAF_CHECK(uut.info().most_open <= 200);
  // Adds that were under way when the connection was lost may change places.
  auto all = stored("s");
  auto wanted = numbers(n);
  std::sort(all.begin(), all.end());
  std::sort(wanted.begin(), wanted.end());
  CAF_CHECK(all == wanted);
}

CAF_TEST(threads and actors share a window) {
  auto uut = must(must(ps.stream("s")).producer(window(16)));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&uut, t] {
      for (int i = 0; i < 500; ++i)
        must(uut.add("number", std::to_string(i), std::to_string(t)));
    });
  // It sends each add when the last one has entered the window.
  auto done = std::make_shared<std::atomic<bool>>(false);
  sys.spawn([to = uut.handle(), done](caf::event_based_actor* self) {
    auto next = std::make_shared<std::function<void(int)>>();
    *next = [=, weak = std::weak_ptr<std::function<void(int)>>{next}](int i) {
      if (i == 500) {
        *done = true;
        return;
      }
      self
        ->request(to, caf::infinite, caf::add_atom_v,
                  new_event{"number", std::to_string(i), "actor"})
        .then([=, again = weak.lock()] { (*again)(i + 1); });
    };
    (*next)(0);
  });
  for (auto& x : threads)
    x.join();
  CAF_CHECK(eventually([&] { return done->load(); }));
  CAF_CHECK(must(uut.flush(20s)).empty());
  CAF_CHECK(uut.info().most_open <= 16);
  CAF_CHECK_EQUAL(uut.info().added, 2'500u);
  std::map<std::string, int> next;
  auto reading = must(ps.stream("s"));
  range_query query;
  query.limit = 10'000;
  for (const auto& x : must(reading.range(query)))
    CAF_CHECK_EQUAL(std::string{x.payload()},
                    std::to_string(next[std::string{x.topic()}]++));
  CAF_CHECK_EQUAL(next.size(), 5u);
}

CAF_TEST(the failed event comes back with its reason) {
  stream_options options;
  options.name = "s";
  options.max_payload = 10;
  auto stream = must(ps.stream(options));
  auto uut = must(stream.producer());
  must(uut.add("small", "1"));
  must(uut.add("large", std::string(11, 'x'), "topic", "dedup"));
  must(uut.add("small", "2"));
  const auto failed = must(uut.flush(20s));
  CAF_REQUIRE_EQUAL(failed.size(), 1u);
  CAF_CHECK(failed[0].why.code == errc::payload_too_large);
  CAF_CHECK_EQUAL(failed[0].event.name, "large");
  CAF_CHECK_EQUAL(failed[0].event.payload, std::string(11, 'x'));
  CAF_CHECK_EQUAL(failed[0].event.topic, "topic");
  CAF_CHECK_EQUAL(failed[0].event.dedup_id, "dedup");
  CAF_CHECK_EQUAL(stored("s"), (std::vector<std::string>{"1", "2"}));
}

CAF_TEST(a full stream gives all refused events to the handler) {
  stream_options options;
  options.name = "s";
  options.hard_max_len = 10;
  options.protect_unacked = true;
  auto stream = must(ps.stream(options));
  // Without a sink, all events of a stream may go, so nothing would be refused.
  sink_options keeping;
  keeping.name = "keeping";
  keeping.streams = {"s"};
  keeping.drain_timeout = 100ms;
  auto sink = must(ps.sink(keeping));
  must(sink.subscribe(sys.spawn([](caf::event_based_actor* self) {
    return caf::behavior{[=](const event&) -> caf::result<void> {
      return self->make_response_promise(); // never
    }};
  })));
  taken lost;
  {
    auto uut = must(stream.producer(window(4), [&](failed_add x) {
      lost.add(std::move(x));
    }));
    for (int i = 0; i < 30; ++i)
      must(uut.add("number", std::to_string(i)));
    CAF_CHECK(must(uut.flush(20s)).empty());
    CAF_CHECK(uut.info().most_open <= 4);
    CAF_CHECK_EQUAL(uut.info().failed, 20u);
  }
  CAF_REQUIRE_EQUAL(lost.size(), 20u);
  for (size_t i = 0; i < 20; ++i) {
    CAF_CHECK(lost.events[i].why.code == errc::stream_full);
    CAF_CHECK_EQUAL(lost.events[i].event.payload, std::to_string(i + 10));
  }
  CAF_CHECK_EQUAL(stored("s").size(), 10u);
}

CAF_TEST(the handler adds events again until Redis has memory) {
  raw({"CONFIG", "SET", "maxmemory", "1"});
  auto stream = must(ps.stream("s"));
  pulse::producer* again = nullptr;
  std::atomic<int> refused{0};
  auto uut = must(stream.producer(window(8), [&](failed_add x) {
    CAF_CHECK(x.why.code == errc::out_of_memory);
    if (++refused == 20)
      raw({"CONFIG", "SET", "maxmemory", "0"});
    // It never waits, though the window may be full of failed events.
    CAF_CHECK(again->add(x.event));
  }));
  again = &uut;
  for (int i = 0; i < 50; ++i)
    must(uut.add("number", std::to_string(i)));
  CAF_CHECK(eventually(
    [&] { return must(uut.flush(20s)).empty() && uut.info().open == 0; }));
  CAF_CHECK(uut.info().most_open <= 8);
  const auto all = stored("s");
  const std::set<std::string> different{all.begin(), all.end()};
  for (const auto& x : numbers(50))
    CAF_CHECK(different.count(x) == 1);
}

CAF_TEST(an event that a throwing handler did not take is kept) {
  stream_options options;
  options.name = "s";
  options.max_payload = 1;
  auto uut = must(must(ps.stream(options)).producer({}, [](failed_add) {
    throw std::runtime_error{"the disk is full"};
  }));
  must(uut.add("large", "xx"));
  const auto failed = must(uut.flush(20s));
  CAF_REQUIRE_EQUAL(failed.size(), 1u);
  CAF_CHECK_EQUAL(failed[0].event.payload, "xx");
}

CAF_TEST(an add waits as long as it is told while Redis hangs) {
  auto stream = must(ps.stream("s"));
  auto uut = must(stream.producer(window(2)));
  kill(server.pid(), SIGSTOP);
  must(uut.add("number", "0"));
  must(uut.add("number", "1"));
  new_event third{"number", "2", ""};
  auto now = uut.try_add(third);
  CAF_CHECK(!now && now.error() == errc::overloaded);
  const auto begin = std::chrono::steady_clock::now();
  auto later = uut.add_within(300ms, third);
  CAF_CHECK(!later && later.error() == errc::overloaded);
  const auto waited = std::chrono::steady_clock::now() - begin;
  CAF_CHECK(waited >= 300ms && waited < 5s);
  CAF_CHECK_EQUAL(third.payload, "2"); // it was not taken
  auto flushed = uut.flush(100ms);
  CAF_CHECK(!flushed && flushed.error() == errc::timed_out);
  std::thread waiting{[&] { CAF_CHECK(uut.add_within(20s, third)); }};
  std::this_thread::sleep_for(50ms);
  kill(server.pid(), SIGCONT);
  waiting.join();
  CAF_CHECK(must(uut.flush(20s)).empty());
  CAF_CHECK_EQUAL(uut.info().most_open, 2u);
  CAF_CHECK_EQUAL(stored("s"), numbers(3));
}

CAF_TEST(a future has the ID of its event or the error) {
  stream_options options;
  options.name = "s";
  options.max_payload = 10;
  auto uut = must(must(ps.stream(options)).producer());
  auto good = uut.add_future({"number", "1", ""});
  auto bad = uut.add_future({"number", std::string(11, 'x'), ""});
  auto id = good.get();
  CAF_REQUIRE(id);
  CAF_CHECK_EQUAL(must(must(ps.stream(options)).info()).last, *id);
  auto failed = bad.get();
  CAF_CHECK(!failed && failed.error() == errc::payload_too_large);
  CAF_CHECK_EQUAL(must(uut.flush(20s)).size(), 1u); // it is given back as well
  CAF_CHECK(uut.close(1s).empty());
  auto refused = uut.add_future({"number", "2", ""}).get();
  CAF_CHECK(!refused && refused.error() == errc::closed);
}

CAF_TEST(what close gives up comes back) {
  auto uut = must(must(ps.stream("s")).producer());
  kill(server.pid(), SIGSTOP);
  for (int i = 0; i < 10; ++i)
    must(uut.add("number", std::to_string(i)));
  const auto begin = std::chrono::steady_clock::now();
  const auto lost = uut.close(200ms);
  CAF_CHECK(std::chrono::steady_clock::now() - begin < 5s);
  kill(server.pid(), SIGCONT);
  CAF_REQUIRE_EQUAL(lost.size(), 10u);
  for (size_t i = 0; i < lost.size(); ++i) {
    CAF_CHECK_EQUAL(lost[i].event.payload, std::to_string(i));
    CAF_CHECK(lost[i].why.code == errc::timed_out
              || lost[i].why.code == errc::closed);
  }
  CAF_CHECK(uut.close(1s).empty());
}

CAF_TEST(a destroyed producer waits for its adds and logs what it gives up) {
  std::mutex mutex;
  std::string warnings;
  set_log_function([&](log_level level, std::string_view line) {
    std::lock_guard<std::mutex> guard{mutex};
    if (level == log_level::warning)
      warnings += std::string{line} + "\n";
  });
  stream_options options;
  options.name = "s";
  options.max_payload = 10;
  auto stream = must(ps.stream(options));
  {
    auto uut = must(stream.producer());
    for (int i = 0; i < 100; ++i)
      must(uut.add("number", std::to_string(i)));
    must(uut.add("large", std::string(11, 'x')));
    auto moved = std::move(uut);
  }
  set_log_function(nullptr);
  CAF_CHECK(warnings.find("1 events were given up") != std::string::npos);
  CAF_CHECK(warnings.find("\"large\": payload_too_large") != std::string::npos);
  CAF_CHECK(stored("s") == numbers(100));
}

CAF_TEST(a producer goes on with a stream that was restarted) {
  auto stream = must(ps.stream("s"));
  auto uut = must(stream.producer());
  must(uut.add("number", "0"));
  CAF_CHECK(must(uut.flush(20s)).empty());
  caf::anon_send_exit(stream.handle(), caf::exit_reason::kill);
  for (int i = 1; i < 100; ++i)
    must(uut.add("number", std::to_string(i)));
  const auto failed = must(uut.flush(20s));
  // What the dead actor had may be stored; nothing is lost silently.
  for (const auto& x : failed)
    CAF_CHECK(x.why.code == errc::connection_lost
              || x.why.code == errc::closed);
  CAF_CHECK(
    eventually([&] { return static_cast<bool>(ps.stream("s")->info()); }));
  const auto all = stored("s");
  CAF_CHECK(all.size() + failed.size() >= 100);
  must(stream.close());
  CAF_CHECK(eventually([&] { return !uut.add("number", "late"); }));
}

CAF_TEST(bad options are refused) {
  auto stream = must(ps.stream("s"));
  auto uut = stream.producer(window(0));
  CAF_REQUIRE(!uut);
  CAF_CHECK(describe(uut.error()).find("producer.max_open")
            != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
