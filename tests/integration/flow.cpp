#define CAF_SUITE integration.flow

#include "pulse/flow.hpp"

#include "pulse/actors/internal/runtime/liveness.hpp"

#include <caf/actor_registry.hpp>

#include "support/sink_fixture.hpp"

#include <future>
#include <stdexcept>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::test;
using namespace std::literals;

namespace {

/// Lets a thread of a test decide how many events a consumer may finish.
class gate {
public:
  void open(size_t n) {
    std::unique_lock guard{mutex_};
    open_ += n;
    changed_.notify_all();
  }

  void pass() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return open_ > 0; });
    --open_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t open_ = 0;
};

/// How a flow ended.
class ending {
public:
  void set(caf::error why) const {
    promise_->set_value(std::move(why));
  }

  /// @returns an empty error if the flow completed.
  caf::error wait() {
    if (result_.wait_for(20s) != std::future_status::ready)
      CAF_FAIL("the flow did not end");
    return result_.get();
  }

private:
  std::shared_ptr<std::promise<caf::error>> promise_
    = std::make_shared<std::promise<caf::error>>();
  std::shared_future<caf::error> result_{promise_->get_future()};
};

template <class T>
auto noting(caf::flow::observable<T> events, const ending& end) {
  return std::move(events)
    .do_on_complete([end] { end.set({}); })
    .do_on_error([end](const caf::error& why) { end.set(why); });
}

/// Deliveries that a consumer passes to the thread of the test.
class collected {
public:
  void add(const delivery& x) {
    std::unique_lock guard{mutex_};
    xs_.push_back(x);
  }

  size_t size() {
    std::unique_lock guard{mutex_};
    return xs_.size();
  }

  std::vector<delivery> take() {
    std::unique_lock guard{mutex_};
    return std::exchange(xs_, {});
  }

private:
  std::mutex mutex_;
  std::vector<delivery> xs_;
};

/// Passes the messages of a flow on to a sink, and knows the flow's source.
class spy {
public:
  spy(caf::actor_system& sys, const sink_actor& from) {
    actor_ = sys.spawn([from, this](caf::event_based_actor* self) {
      return caf::behavior{
        [=](caf::subscribe_atom x, const event_listener& who,
            subscription how) {
          source_.set_value(who.address());
          return self->mail(x, who, how).delegate(from);
        },
        [=](caf::unsubscribe_atom x, const event_listener& who) {
          return self->mail(x, who).delegate(from);
        },
      };
    });
  }

  ~spy() {
    stop(actor_);
  }

  [[nodiscard]] sink_actor handle() const {
    return caf::actor_cast<sink_actor>(actor_);
  }

  /// @returns whether the source lives. Waits for its subscription.
  bool source_lives() {
    const auto who = caf::actor_cast<caf::actor>(subscribed_.get());
    return internal::is_alive(who);
  }

  bool source_ends() {
    return eventually([this] { return !source_lives(); });
  }

private:
  std::promise<caf::actor_addr> source_;
  std::shared_future<caf::actor_addr> subscribed_{source_.get_future()};
  caf::actor actor_;
};

struct fixture : sink_fixture {
  reader open_reader() {
    reader_options options;
    options.streams = {"orders"};
    options.start = start_position::oldest();
    return must(ps.reader(options));
  }

  sink open_sink(uint32_t max_deliveries = 20) {
    auto how = options("billing", {"orders"});
    how.max_deliveries = max_deliveries;
    return open(how);
  }

  /// Spawns an actor that has nothing but a flow.
  template <caf::spawn_options Os = caf::no_spawn_options, class F>
  caf::actor run(F begin) {
    return sys.spawn<Os>(
      [begin](caf::event_based_actor* self) mutable { begin(self); });
  }

  /// Waits until the sink has got a reply to each of its acks.
  bool settled(const sink& x) {
    return drained("orders", "billing")
           && eventually([&] { return must(sink{x}.info()).held == 0; });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(flow_tests, fixture)

// -- readers ------------------------------------------------------------------

CAF_TEST(a reader flow has all events in order and holds only its credit) {
  add_numbers("orders", 60);
  auto uut = open_reader();
  gate may_pass;
  run<caf::detached>([&, from = uut.handle()](auto* self) {
    observe(self, from, 4).for_each([&](const event& x) {
      seen.add(x);
      may_pass.pass();
    });
  });
  for (size_t passed = 0; passed < 60; passed += 10) {
    CAF_REQUIRE(seen.wait_for_count(passed + 1));
    // The event in the handler is held, too.
    CAF_CHECK_EQUAL(seen.size(), passed + 1);
    CAF_CHECK_LESS_OR_EQUAL(must(uut.info()).delivered, passed + 4);
    may_pass.open(10);
  }
  CAF_REQUIRE(seen.wait_for_count(60));
  const auto xs = seen.payloads();
  for (size_t i = 0; i < 60; ++i)
    CAF_REQUIRE_EQUAL(xs[i], std::to_string(i));
  must(uut.close());
}

CAF_TEST(a reader that closes completes the flow after its last event) {
  add_numbers("orders", 20);
  auto uut = open_reader();
  ending end;
  gate may_pass;
  run<caf::detached>([&, from = uut.handle()](auto* self) {
    noting(observe(self, from), end).for_each([&](const event& x) {
      may_pass.pass();
      seen.add(x);
    });
  });
  CAF_REQUIRE(eventually([&] { return must(uut.info()).delivered == 20; }));
  must(uut.close());
  may_pass.open(20);
  CAF_CHECK(!end.wait());
  CAF_CHECK_EQUAL(seen.size(), 20u);
}

CAF_TEST(a reader flow that is cancelled leaves the reader) {
  auto uut = open_reader();
  ending end;
  run([&, from = uut.handle()](auto* self) {
    noting(observe(self, from).take(3).as_observable(), end)
      .for_each([&](const event& x) { seen.add(x); });
  });
  add_numbers("orders", 10);
  CAF_CHECK(!end.wait());
  CAF_CHECK_EQUAL(seen.size(), 3u);
  CAF_CHECK(eventually([&] { return must(uut.info()).subscribers == 0; }));
}

CAF_TEST(a reader that ends a slow subscriber fails its flow) {
  reader_options how;
  how.streams = {"orders"};
  how.overflow = overflow_policy::fail;
  how.start = start_position::oldest();
  how.buffer = 1;
  auto uut = must(ps.reader(how));
  ending end;
  gate may_pass;
  run<caf::detached>([&, from = uut.handle()](auto* self) {
    noting(observe(self, from, 1), end).for_each([&](const event&) {
      may_pass.pass();
    });
  });
  CAF_REQUIRE(eventually([&] { return must(uut.info()).subscribers == 1; }));
  add_numbers("orders", 50);
  CAF_REQUIRE(eventually([&] { return must(uut.info()).subscribers == 0; }));
  may_pass.open(50);
  CAF_CHECK(end.wait() == errc::subscriber_overflow);
}

// -- outcomes -----------------------------------------------------------------

CAF_TEST(a sink flow acknowledges each event when its function returns) {
  add_numbers("orders", 500);
  auto uut = open_sink();
  run([&, from = uut.handle()](auto* self) {
    observe(self, from, 16).for_each(ack_each([&](const event& x) {
      seen.add(x);
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(500));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(seen.size(), 500u);
  CAF_CHECK_EQUAL(seen.distinct(), 500u);
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.acked, 500u);
  CAF_CHECK_EQUAL(info.redelivered, 0u);
  CAF_CHECK_EQUAL(info.held, 0u);
}

CAF_TEST(a sink flow holds its credit and any thread may complete it) {
  add_numbers("orders", 20);
  auto uut = open_sink();
  collected held;
  run([&, from = uut.handle()](auto* self) {
    observe(self, from, 5).for_each([&](const delivery& x) { held.add(x); });
  });
  for (int round = 0; round < 4; ++round) {
    CAF_REQUIRE(eventually([&] { return held.size() == 5; }));
    CAF_CHECK_EQUAL(must(uut.info()).dispatched, 5u);
    CAF_CHECK_EQUAL(held.size(), 5u);
    for (const auto& x : held.take()) {
      x.ack();
      x.fail(caf::make_error(errc::unavailable)); // the first outcome counts
    }
  }
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(must(uut.info()).acked, 20u);
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 0u);
}

CAF_TEST(an exception of the function fails its event only) {
  add_numbers("orders", 3);
  auto uut = open_sink();
  run([&, from = uut.handle()](auto* self) {
    observe(self, from).for_each(ack_each([&](const event& x) {
      seen.add(x);
      if (x.payload() == "1" && x.counts().deliveries < 3)
        throw std::runtime_error{"no paper"};
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(5));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(seen.all().back().what.counts().failures, 2u);
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.acked, 3u);
  CAF_CHECK_EQUAL(info.nacks, 2u);
  CAF_CHECK_EQUAL(info.crashes, 0u);
}

CAF_TEST(a delivery that the flow drops comes again) {
  add_numbers("orders", 4);
  auto uut = open_sink();
  run([&, from = uut.handle()](auto* self) {
    observe(self, from)
      .filter([&](const delivery& x) {
        seen.add(*x);
        return x->counts().deliveries > 1;
      })
      .for_each(ack_each([](const event&) {}));
  });
  CAF_REQUIRE(seen.wait_for_count(8));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 4u);
  CAF_CHECK_EQUAL(must(uut.info()).acked, 4u);
}

CAF_TEST(term makes a dead letter as the last failure does) {
  add_numbers("orders", 3);
  auto uut = open_sink(2);
  run([&, from = uut.handle()](auto* self) {
    observe(self, from).for_each(ack_each([&](const event& x) -> caf::error {
      seen.add(x);
      if (x.payload() == "0")
        return pulse::term("no such user");
      if (x.payload() == "1")
        return caf::make_error(caf::sec::unexpected_response, "try again");
      return {};
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(4));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(must(uut.info()).dead_letters, 2u);
  auto letters = raw({"XRANGE", "pulse:stream:orders:dead:billing", "-", "+"});
  CAF_CHECK(letters.find("x-reason no such user") != std::string::npos);
  CAF_CHECK(letters.find("try again") != std::string::npos);
}

CAF_TEST(a batch is acknowledged as a whole or delivered again) {
  add_numbers("orders", 45);
  auto uut = open_sink();
  std::atomic<int> batches = 0;
  run([&, from = uut.handle()](auto* self) {
    observe(self, from, 30)
      .buffer(10, 50ms)
      .for_each(ack_batch([&](const std::vector<delivery>& xs) {
        CAF_CHECK(!xs.empty() && xs.size() <= 10);
        for (const auto& x : xs)
          seen.add(*x);
        if (batches++ == 0) {
          xs.front().fail(pulse::term("not this one"));
          throw std::runtime_error{"the database is away"};
        }
      }));
  });
  CAF_REQUIRE(seen.wait_for_distinct(45));
  CAF_CHECK(settled(uut));
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.acked + info.dead_letters, 45u);
  CAF_CHECK_EQUAL(info.dead_letters, 1u);
  CAF_CHECK_EQUAL(seen.size(), 45u + info.nacks);
}

CAF_TEST(outcomes reach a sink with manual acks) {
  add_numbers("orders", 3);
  auto how = options("billing", {"orders"});
  how.ack = ack_mode::manual;
  auto uut = open(how);
  run([&, from = uut.handle()](auto* self) {
    observe(self, from).for_each(ack_each([&](const event& x) -> caf::error {
      seen.add(x);
      if (x.payload() == "0")
        return pulse::term("no such user");
      if (x.payload() == "1" && x.counts().deliveries == 1)
        return caf::make_error(errc::unavailable);
      return {};
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(4));
  CAF_CHECK(settled(uut));
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.dead_letters, 1u);
  CAF_CHECK_EQUAL(info.nacks, 1u);
  CAF_CHECK_EQUAL(info.timeouts, 0u);
}

// -- the consumer ends --------------------------------------------------------

CAF_TEST(a cancelled flow hands the rest to other subscribers) {
  add_numbers("orders", 20);
  auto uut = open_sink();
  spy between{sys, uut.handle()};
  run([&, from = between.handle()](auto* self) {
    observe(self, from, 8).take(3).for_each(ack_each([&](const event& x) {
      seen.add(x, "flow");
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_CHECK(between.source_ends());
  auto other = spawn_worker(sys, seen, "other");
  must(uut.subscribe(other));
  CAF_REQUIRE(seen.wait_for_distinct(20));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(seen.size(), 20u);
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.subscribers, 1u);
  CAF_CHECK_EQUAL(info.crashes, 0u);
  stop(other);
}

CAF_TEST(the source of a cancelled flow waits for the deliveries still out) {
  add_numbers("orders", 6);
  auto uut = open_sink();
  spy between{sys, uut.handle()};
  collected held;
  run([&, from = between.handle()](auto* self) {
    observe(self, from, 2).take(2).for_each([&](const delivery& x) {
      held.add(x);
    });
  });
  CAF_REQUIRE(eventually([&] { return held.size() == 2; }));
  CAF_REQUIRE(eventually([&] { return must(uut.info()).subscribers == 0; }));
  CAF_CHECK(between.source_lives());
  for (const auto& x : held.take())
    x.ack();
  CAF_CHECK(between.source_ends());
  CAF_CHECK(eventually([&] { return must(uut.info()).acked == 2; }));
  CAF_CHECK_EQUAL(must(uut.info()).crashes, 0u);
  CAF_CHECK_EQUAL(must(uut.info()).nacks, 0u);
}

CAF_TEST(a consumer that quits hands back what it did not complete) {
  add_numbers("orders", 10);
  auto uut = open_sink();
  spy between{sys, uut.handle()};
  run([&, from = between.handle()](auto* self) {
    observe(self, from, 5).for_each(ack_each([&, self](const event& x) {
      seen.add(x);
      self->quit();
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(1));
  CAF_CHECK(between.source_ends());
  auto other = spawn_worker(sys, seen, "other");
  must(uut.subscribe(other));
  CAF_REQUIRE(seen.wait_for_distinct(10));
  CAF_CHECK(settled(uut));
  CAF_CHECK_EQUAL(must(uut.info()).crashes, 0u);
  stop(other);
}

CAF_TEST(a consumer that dies of an event counts as a crashed worker) {
  add_numbers("orders", 10);
  auto uut = open_sink();
  spy between{sys, uut.handle()};
  run([&, from = between.handle()](auto* self) {
    observe(self, from, 5).for_each([&](const delivery& x) {
      seen.add(*x, "flow");
      if (x->payload() == "2")
        throw std::runtime_error{"out of ink"};
      x.ack();
    });
  });
  CAF_REQUIRE(seen.wait_for_count(3));
  CAF_CHECK(between.source_ends());
  auto other = spawn_worker(sys, seen, "other");
  must(uut.subscribe(other));
  CAF_REQUIRE(seen.wait_for_count(11));
  CAF_CHECK(settled(uut));
  auto info = must(uut.info());
  CAF_CHECK_EQUAL(info.crashes, 1u);
  CAF_CHECK_EQUAL(info.nacks, 0u);
  for (const auto& x : seen.all())
    if (x.by == "other")
      CAF_CHECK_EQUAL(x.what.counts().crashes,
                      x.what.payload() == "2" ? 1u : 0u);
  stop(other);
}

CAF_TEST(a flow without an observer takes no events and ends with its actor) {
  // In a system of its own, since this counts all actors.
  pulse::config cfg;
  caf::actor_system plain{cfg};
  std::atomic<int> subscriptions = 0;
  auto from = plain.spawn([&](caf::event_based_actor*) {
    return caf::behavior{[&](caf::subscribe_atom, const event_listener&,
                             subscription) { ++subscriptions; }};
  });
  auto running = [&] { return plain.registry().running(); };
  CAF_REQUIRE(eventually([&] { return running() == 1; }));
  auto idle = plain.spawn([from](caf::event_based_actor* self) {
    auto events = observe(self, caf::actor_cast<sink_actor>(from));
    return caf::behavior{[events](caf::ok_atom) {}};
  });
  CAF_CHECK(eventually([&] { return running() == 3; }));
  stop(idle);
  CAF_CHECK(eventually([&] { return running() == 1; }));
  CAF_CHECK_EQUAL(subscriptions.load(), 0);
  stop(from);
}

CAF_TEST(a flow has one observer) {
  auto uut = open_sink();
  ending second;
  run([&, from = uut.handle()](auto* self) {
    auto events = observe(self, from);
    events.for_each([](const delivery&) {});
    noting(events, second).for_each([](const delivery&) {});
  });
  CAF_CHECK(second.wait() == errc::already_open);
}

// -- the sink ends ------------------------------------------------------------

CAF_TEST(a sink that closes completes the flow) {
  add_numbers("orders", 10);
  auto uut = open_sink();
  ending end;
  run([&, from = uut.handle()](auto* self) {
    noting(observe(self, from), end).for_each(ack_each([&](const event& x) {
      seen.add(x);
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(10));
  must(uut.close());
  CAF_CHECK(!end.wait());
  CAF_CHECK_EQUAL(seen.size(), 10u);
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 0);
}

CAF_TEST(a sink that dies fails the flow) {
  add_numbers("orders", 1);
  auto uut = open_sink();
  ending end;
  run([&, from = uut.handle()](auto* self) {
    noting(observe(self, from), end).for_each(ack_each([&](const event& x) {
      seen.add(x);
    }));
  });
  CAF_REQUIRE(seen.wait_for_count(1));
  caf::anon_send_exit(uut.handle(), caf::exit_reason::kill);
  CAF_CHECK(end.wait() == caf::exit_reason::kill);
}

CAF_TEST(a flow of a closed sink fails) {
  auto uut = open_sink();
  must(uut.close());
  ending end;
  run([&, from = uut.handle()](auto* self) {
    noting(observe(self, from), end).for_each([](const delivery&) {});
  });
  CAF_CHECK(end.wait() == errc::closed);
}

CAF_TEST(a subscription that the sink refuses fails the flow) {
  raw({"SET", "pulse:stream:orders", "no stream"});
  auto uut = open_sink();
  ending end;
  run([&, from = uut.handle()](auto* self) {
    noting(observe(self, from), end).for_each([](const delivery&) {});
  });
  CAF_CHECK(end.wait() == errc::wrong_type);
}

CAF_TEST(a delivery may exist longer than its actor system) {
  add_numbers("orders", 1);
  collected held;
  {
    node other{server.url()};
    auto how = options("billing", {"orders"});
    how.drain_timeout = 200ms;
    auto uut = must(other.pulse->sink(how));
    other.sys->spawn([&, from = uut.handle()](caf::event_based_actor* self) {
      observe(self, from).for_each([&](const delivery& x) { held.add(x); });
    });
    CAF_REQUIRE(eventually([&] { return held.size() == 1; }));
  }
  auto xs = held.take();
  CAF_CHECK_EQUAL(xs[0]->payload(), "0");
  xs[0].ack();
  CAF_CHECK_EQUAL(raw.pending("orders", "billing"), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
