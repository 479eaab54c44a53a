#define CAF_SUITE integration.handlers

#include "support/sink_fixture.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

// sink::handle() and sink::handle_batches().

namespace {

int number(const event& x) {
  return std::stoi(std::string{x.payload()});
}

// Lets threads wait until `n` of them are here at the same time.
class meeting {
public:
  explicit meeting(size_t n) : n_(n) {
    // nop
  }

  // Returns false if the others do not come.
  bool wait() {
    std::unique_lock guard{mutex_};
    ++here_;
    changed_.notify_all();
    return changed_.wait_for(guard, 20s, [this] { return here_ >= n_; });
  }

private:
  size_t n_;
  size_t here_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

// A sink that only knows subscriptions.
struct fake_sink {
  std::mutex mutex;
  std::vector<event_listener> subscribers;
  // How many of the next subscriptions it refuses.
  int refusals = 0;

  void refuse(int n) {
    std::unique_lock guard{mutex};
    refusals = n;
  }

  size_t size() {
    std::unique_lock guard{mutex};
    return subscribers.size();
  }

  caf::actor spawn(caf::actor_system& sys) {
    return sys.spawn([this](caf::event_based_actor*) {
      return caf::behavior{
        [this](caf::subscribe_atom, const event_listener& who,
               subscription) -> caf::result<void> {
          std::unique_lock guard{mutex};
          if (refusals > 0) {
            --refusals;
            return make_error({errc::permission_denied, "as told"});
          }
          subscribers.push_back(who);
          return caf::unit;
        },
        [](caf::unsubscribe_atom, const event_listener&) { return true; },
      };
    });
  }
};

struct fixture : sink_fixture {
  // Returns the reasons of the dead letters of a sink.
  std::string reasons(const std::string& stream, const std::string& sink) {
    std::string result;
    dead_query query;
    query.sink = sink;
    for (const auto& x : must(must(ps.stream(stream)).dead_letters(query)))
      result += x.reason + "\n";
    return result;
  }

  // Waits until `n` events have an outcome.
  bool finished(pulse::sink& sink, uint64_t n) {
    return eventually([&] {
      const auto x = must(sink.info());
      return x.acked + x.dead_letters >= n && x.held == 0;
    });
  }

  // Waits until an actor has ended.
  template <class Handle>
  void wait_for_end(const Handle& x) {
    caf::scoped_actor self{sys};
    self->wait_for(x);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(handlers_tests, fixture)

CAF_TEST(handlers block on threads of their own) {
  auto uut = open(options("billing", {"orders"}));
  add_numbers("orders", 6); // the scheduler of this node has two threads
  meeting all{6};
  must(uut.handle(
    [&](const event& x) {
      if (!all.wait())
        throw std::runtime_error{"alone"};
      seen.add(x);
    },
    {6, 1}));
  CAF_REQUIRE(seen.wait_for_distinct(6));
  CAF_CHECK(finished(uut, 6));
  CAF_CHECK_EQUAL(must(uut.info()).acked, 6u);
  must(uut.close());
}

CAF_TEST(an exception is a failure with a text and no crash) {
  auto opts = options("billing", {"orders"});
  opts.max_deliveries = 3;
  auto uut = open(opts);
  add_numbers("orders", 20);
  must(uut.handle([this](const event& x) {
    seen.add(x);
    if (number(x) == 7)
      throw std::runtime_error{"parse error at line 7"};
    if (number(x) == 8)
      throw 8;
  }));
  CAF_REQUIRE(finished(uut, 20));
  const auto info = must(uut.info());
  CAF_CHECK_EQUAL(seen.size(), 18u + 2 * 3);
  CAF_CHECK_EQUAL(info.crashes, 0u);
  CAF_CHECK_EQUAL(info.dead_letters, 2u);
  CAF_CHECK(info.last_failure.find("the handler threw") != std::string::npos);
  const auto why = reasons("orders", "billing");
  CAF_CHECK(why.find("the handler threw parse error at line 7")
            != std::string::npos);
  CAF_CHECK(why.find("something that is no std::exception")
            != std::string::npos);
  must(uut.close());
}

CAF_TEST(an empty function is no handler) {
  auto uut = open(options("billing", {"orders"}));
  const auto one = uut.handle(std::function<void(const event&)>{});
  CAF_REQUIRE(!one);
  CAF_CHECK(one.error() == errc::invalid_option);
  const auto many
    = uut.handle_batches(std::function<status(const std::vector<event>&)>{});
  CAF_REQUIRE(!many);
  CAF_CHECK(many.error() == errc::invalid_option);
  CAF_CHECK_EQUAL(must(uut.info()).subscribers, 0u);
  must(uut.close());
}

CAF_TEST(handlers return errors of two kinds) {
  auto opts = options("billing", {"orders"});
  opts.max_deliveries = 1;
  auto uut = open(opts);
  add_numbers("orders", 3);
  must(uut.handle([](const event& x) -> status {
    if (number(x) == 0)
      return failure{errc::unavailable, "no database"};
    return {};
  }));
  CAF_REQUIRE(finished(uut, 3));
  auto other = open(options("mails", {"orders"}));
  must(other.handle([](const event& x) -> caf::error {
    return number(x) == 1 ? pulse::term("no such address") : caf::error{};
  }));
  CAF_REQUIRE(finished(other, 3));
  CAF_CHECK(reasons("orders", "billing").find("no database")
            != std::string::npos);
  CAF_CHECK_EQUAL(reasons("orders", "mails"), "no such address\n");
  must(uut.close());
  must(other.close());
}

CAF_TEST(a batch is acknowledged as a whole) {
  auto opts = options("billing", {"orders"});
  auto uut = open(opts);
  add_numbers("orders", 1'000);
  std::atomic<size_t> largest{0};
  std::atomic<size_t> batches{0};
  must(uut.handle_batches(
    [&](const std::vector<event>& xs) {
      largest = std::max(largest.load(), xs.size());
      ++batches;
      for (const auto& x : xs)
        seen.add(x);
      std::this_thread::sleep_for(1ms); // meanwhile more events arrive
    },
    {1, 50}));
  CAF_REQUIRE(seen.wait_for_distinct(1'000));
  CAF_REQUIRE(finished(uut, 1'000));
  CAF_CHECK_EQUAL(seen.size(), 1'000u);
  CAF_CHECK(largest > 1);
  CAF_CHECK(largest <= 50);
  CAF_CHECK(batches < 1'000);
  must(uut.close());
}

CAF_TEST(a handler of batches may fail at some events) {
  auto uut = open(options("billing", {"orders"}));
  add_numbers("orders", 100);
  std::atomic<int> failures{0};
  must(uut.handle_batches(
    [&](const event_batch& xs) {
      batch_outcome result;
      for (size_t i = 0; i < xs.size(); ++i)
        if (number(xs[i]) == 7)
          result.fail(i, term("never"));
        else if (number(xs[i]) == 8 && failures.fetch_add(1) == 0)
          result.fail(i, make_error({errc::unavailable, "once"}));
        else
          seen.add(xs[i]);
      return result;
    },
    {1, 20}));
  CAF_REQUIRE(finished(uut, 100));
  const auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.dead_letters, 1u);
  CAF_CHECK_EQUAL(info.nacks, 1u);
  CAF_CHECK_EQUAL(seen.size(), 99u);
  CAF_CHECK_EQUAL(reasons("orders", "billing"), "never\n");
  must(uut.close());
}

CAF_TEST(a handler that waits for batches may fail at some events) {
  auto uut = open(options("billing", {"orders"}));
  add_numbers("orders", 10);
  std::atomic<int> failures{0};
  batch_handler_options how;
  how.max_events = 10;
  how.max_wait = 10s;
  must(uut.handle_batches(
    [&](const event_batch& xs) {
      batch_outcome result;
      for (size_t i = 0; i < xs.size(); ++i)
        if (number(xs[i]) == 3 && failures.fetch_add(1) == 0)
          result.fail(i, make_error({errc::unavailable, "once"}), 10ms);
        else
          seen.add(xs[i], std::to_string(xs.size()));
      return result;
    },
    how));
  CAF_REQUIRE(finished(uut, 10)); // without max_wait for the second attempt
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 1u);
  const auto all = seen.all();
  CAF_REQUIRE_EQUAL(all.size(), 10u);
  CAF_CHECK_EQUAL(all.front().by, "10");
  CAF_CHECK_EQUAL(all.back().by, "1");
  must(uut.close());
}

CAF_TEST(a poison event fails alone after the first time) {
  auto opts = options("billing", {"orders"});
  opts.max_deliveries = 4;
  auto uut = open(opts);
  add_numbers("orders", 100);
  must(uut.handle_batches([this](const std::vector<event>& xs) {
    for (const auto& x : xs)
      seen.add(x);
    for (const auto& x : xs)
      if (number(x) == 50)
        throw std::runtime_error{"poison"};
  }));
  CAF_REQUIRE(finished(uut, 100));
  const auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.dead_letters, 1u);
  for (const auto& x : seen.all())
    CAF_CHECK(number(x.what) == 50 || x.what.counts().failures <= 1);
  must(uut.close());
}

CAF_TEST(handlers work in manual mode) {
  auto opts = options("billing", {"orders"});
  opts.ack = ack_mode::manual;
  auto uut = open(opts);
  add_numbers("orders", 10);
  std::atomic<int> failures{0};
  must(uut.handle([&](const event& x) {
    if (number(x) == 3 && failures.fetch_add(1) == 0)
      throw std::runtime_error{"once"};
    seen.add(x);
  }));
  must(uut.handle_batches(
    [&](const event_batch& xs) {
      for (const auto& x : xs)
        seen.add(x);
    },
    {1, 3}));
  CAF_REQUIRE(seen.wait_for_distinct(10));
  CAF_REQUIRE(finished(uut, 10));
  must(uut.close());
}

CAF_TEST(a worker that dies is replaced) {
  fake_sink sink;
  const auto fake = sink.spawn(sys);
  auto uut = spawn_handler(sys, caf::actor_cast<sink_actor>(fake),
                           as_handler([](const event&) {}), {2});
  CAF_REQUIRE(ask<void>(sys, uut, caf::subscribe_atom_v));
  CAF_REQUIRE_EQUAL(sink.size(), 2u);
  caf::anon_send_exit(sink.subscribers[0], caf::exit_reason::kill);
  CAF_CHECK(eventually([&] { return sink.size() == 3; }));
  CAF_REQUIRE(ask<void>(sys, uut, caf::close_atom_v));
  for (const auto& x : sink.subscribers)
    wait_for_end(x);
  stop(fake);
}

CAF_TEST(a handler that has worked waits for rights that are missing) {
  fake_sink sink;
  const auto fake = sink.spawn(sys);
  auto uut = spawn_handler(sys, caf::actor_cast<sink_actor>(fake),
                           as_handler([](const event&) {}), {1});
  CAF_REQUIRE(ask<void>(sys, uut, caf::subscribe_atom_v));
  sink.refuse(2);
  caf::anon_send_exit(sink.subscribers[0], caf::exit_reason::kill);
  CAF_CHECK(eventually([&] { return sink.size() == 2; }));
  CAF_REQUIRE(ask<void>(sys, uut, caf::close_atom_v));
  stop(fake);
}

CAF_TEST(who asks after the sink has refused the workers is told why) {
  std::atomic<bool> refused{false};
  const auto fake = sys.spawn([&](caf::event_based_actor*) {
    return caf::behavior{[&](caf::subscribe_atom, const event_listener&,
                             const subscription&) -> caf::result<void> {
                           refused = true;
                           return make_error({errc::wrong_type, "as told"});
                         },
                         [](caf::unsubscribe_atom, const event_listener&) {
                           return true;
                         }};
  });
  auto uut = spawn_handler(sys, caf::actor_cast<sink_actor>(fake),
                           as_handler([](const event&) {}));
  CAF_REQUIRE(eventually([&] { return refused.load(); }));
  std::this_thread::sleep_for(20ms);
  const auto answer = ask<void>(sys, uut, caf::subscribe_atom_v);
  CAF_REQUIRE(!answer);
  CAF_CHECK(answer.error() == errc::wrong_type);
  wait_for_end(uut);
  stop(fake);
}

CAF_TEST(a handler goes on when its sink died of a defect) {
  auto uut = open(options("billing", {"orders"}));
  auto handler = must(uut.handle([this](const event& x) { seen.add(x); }, {2}));
  add_numbers("orders", 3);
  CAF_REQUIRE(seen.wait_for_distinct(3));
  caf::anon_send_exit(uut.handle().address(), caf::exit_reason::kill);
  add_numbers("orders", 3, 3);
  CAF_CHECK(seen.wait_for_distinct(6));
  CAF_CHECK(eventually([&] { return must(uut.info()).subscribers == 2; }));
  CAF_CHECK(ask<void>(sys, handler, caf::close_atom_v));
  CAF_CHECK(eventually([&] { return must(uut.info()).subscribers == 0; }));
  must(uut.close());
}

CAF_TEST(no worker begins another event after its sink was closed) {
  auto opts = options("billing", {"orders"});
  opts.drain_timeout = 200ms;
  auto uut = open(opts);
  add_numbers("orders", 8);
  std::atomic<int> begun{0};
  must(uut.handle([&](const event&) {
    ++begun;
    std::this_thread::sleep_for(500ms);
  }));
  CAF_REQUIRE(eventually([&] { return begun == 1; }));
  must(uut.close());
  const int before = begun;
  std::this_thread::sleep_for(1500ms);
  CAF_CHECK_LESS_OR_EQUAL(begun.load(), before + 1);
}

CAF_TEST(a worker that hung leaves out what others have done meanwhile) {
  for (const auto mode : {ack_mode::on_return, ack_mode::manual}) {
    const std::string name = mode == ack_mode::manual ? "manual" : "orders";
    auto opts = options("billing", {name});
    opts.ack = mode;
    opts.ack_wait = 2s;
    auto uut = open(opts);
    add_numbers(name, 40);
    std::mutex mutex;
    std::map<int, int> begun;
    std::thread::id hung;
    bool works_again = false;
    std::promise<void> end_of_hang;
    auto until = end_of_hang.get_future();
    must(uut.handle(
      [&](const event& x) {
        std::unique_lock guard{mutex};
        const auto me = std::this_thread::get_id();
        const bool hangs = ++begun[number(x)] == 1 && number(x) == 0;
        if (hangs)
          hung = me;
        works_again |= number(x) >= 40 && me == hung;
        guard.unlock();
        if (hangs)
          until.wait();
      },
      {2}));
    // The other worker does the rest, and the event that hung.
    CAF_CHECK(finished(uut, 40));
    end_of_hang.set_value();
    // What comes later stands behind the others in the mailbox.
    int next = 40;
    CAF_CHECK(eventually([&] {
      add_numbers(name, 8, next);
      next += 8;
      std::unique_lock guard{mutex};
      return works_again;
    }));
    CAF_CHECK(finished(uut, static_cast<uint64_t>(next)));
    must(uut.close());
    for (const auto& [n, times] : begun)
      CAF_CHECK_EQUAL(times, n == 0 ? 2 : 1);
    CAF_CHECK_EQUAL(begun.size(), static_cast<size_t>(next));
  }
}

CAF_TEST(a handler that stops finishes what it works on) {
  auto uut = open(options("billing", {"orders"}));
  add_numbers("orders", 10);
  meeting begun{2};
  std::atomic<int> ended{0};
  auto handler = must(uut.handle([&](const event& x) {
    seen.add(x);
    begun.wait();
    std::this_thread::sleep_for(50ms);
    ++ended;
  }));
  CAF_REQUIRE(begun.wait());
  CAF_REQUIRE(ask<void>(sys, handler, caf::close_atom_v));
  CAF_CHECK_EQUAL(ended.load(), static_cast<int>(seen.size()));
  CAF_CHECK_EQUAL(must(uut.info()).subscribers, 0u);
  must(uut.handle([this](const event& x) { seen.add(x); }));
  CAF_REQUIRE(finished(uut, 10));
  CAF_CHECK_EQUAL(seen.size(), 10u);
  must(uut.close());
}

CAF_TEST(a handler ends with its sink) {
  auto uut = open(options("billing", {"orders"}));
  auto handler = must(uut.handle([](const event&) {}));
  must(uut.close());
  wait_for_end(handler);
}

CAF_TEST(bad options are refused) {
  auto uut = open(options("billing", {"orders"}));
  auto code = [](const caf::error& x) { return to_failure(x).code; };
  auto nothing = [](const event&) {};
  CAF_CHECK(code(uut.handle(nothing, {0}).error()) == errc::invalid_option);
  CAF_CHECK(code(uut.handle(nothing, {10'001}).error())
            == errc::invalid_option);
  auto batches = [](const std::vector<event>&) {};
  CAF_CHECK(code(uut.handle_batches(batches, {1, 0}).error())
            == errc::invalid_option);
  CAF_CHECK_EQUAL(must(uut.info()).subscribers, 0u);
  must(uut.close());
}

CAF_TEST_FIXTURE_SCOPE_END()
