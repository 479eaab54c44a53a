#define CAF_SUITE actors.producer

#include "pulse/actors/internal/producing/actor.hpp"
#include "pulse/actors/producer_actor.hpp"
#include "pulse/core/log.hpp"

#include "support/actor_fixture.hpp"

#include <deque>

using namespace pulse;
using namespace std::chrono_literals;

// A producer in virtual time, before a stream that the test controls.

namespace {

using texts = std::vector<std::string>;
using failures = std::vector<failed_add>;

struct fake_stream {
  struct state {
    struct request {
      std::vector<new_event> events;
      caf::response_promise answer;
    };

    std::deque<request> waiting;
    // What the next requests get: the code of each event. "x" fails.
    std::deque<errc> plans;
    texts stored;
    uint64_t last_id = 0;
    size_t most_waiting = 0;

    void obey() {
      for (; !plans.empty() && !waiting.empty(); plans.pop_front()) {
        auto x = std::move(waiting.front());
        waiting.pop_front();
        if (plans.front() == errc::closed) {
          x.answer.deliver(make_error({errc::overloaded, "all of them"}));
          continue;
        }
        std::vector<add_result> results;
        for (auto& event : x.events) {
          if (event.payload == "x" || plans.front() != errc::none) {
            const auto code = event.payload == "x" ? errc::payload_too_large
                                                   : plans.front();
            results.push_back({{}, code, "no"});
            continue;
          }
          stored.push_back(event.name);
          results.push_back({{++last_id, 0}, errc::none, {}});
        }
        x.answer.deliver(std::move(results));
      }
    }
  };

  std::shared_ptr<state> st = std::make_shared<state>();

  stream_actor spawn(caf::actor_system& sys) {
    auto x = sys.spawn([st = st](caf::event_based_actor* self) {
      return caf::behavior{
        [=](caf::add_atom, const std::vector<new_event>& events)
          -> caf::result<std::vector<add_result>> {
          auto answer = self->make_response_promise();
          st->waiting.push_back({events, answer});
          st->most_waiting = std::max(st->most_waiting, st->waiting.size());
          st->obey();
          return answer;
        },
        [=](caf::tick_atom) { st->obey(); },
      };
    });
    return caf::actor_cast<stream_actor>(x);
  }
};

struct fixture : test::actor_fixture {
  fake_stream redis;
  stream_actor stream = redis.spawn(sys);
  producer_options options;
  producer_actor uut;
  texts warnings;

  fixture() {
    options.max_open = 3;
    options.max_open_bytes = 100;
    set_log_function([this](log_level level, std::string_view line) {
      if (level >= log_level::warning)
        warnings.emplace_back(line);
    });
  }

  ~fixture() override {
    for (auto& x : redis.st->waiting)
      x.answer = {};
    caf::anon_send_exit(uut, caf::exit_reason::kill);
    caf::anon_send_exit(stream, caf::exit_reason::kill);
    consume_messages();
    set_log_function(nullptr);
  }

  void spawn() {
    uut = spawn_producer(sys, stream, options);
    consume_messages();
  }

  auto add(const std::string& name, const std::string& payload = "p") {
    auto result = ask_void(uut, caf::add_atom_v, new_event{name, payload, ""});
    consume_messages();
    return result;
  }

  // The next requests of the producer get this result.
  void answer(errc code = errc::none, size_t times = 1) {
    redis.st->plans.insert(redis.st->plans.end(), times, code);
    caf::anon_send(caf::actor_cast<caf::actor>(stream), caf::tick_atom_v);
    consume_messages();
  }

  producer_info info() {
    auto result = ask<producer_info>(uut, atom::info_v);
    consume_messages();
    CAF_CHECK_EQUAL(result->why(), "none");
    return result->value;
  }

  auto flush(caf::timespan timeout = 1s) {
    auto result = ask<failures>(uut, caf::flush_atom_v, timeout);
    consume_messages();
    return result;
  }

  auto close() {
    auto result = ask<failures>(uut, caf::close_atom_v);
    consume_messages();
    return result;
  }

  void pass(milliseconds time) {
    advance_time(time);
    consume_messages();
  }

  static std::string names(const failures& xs) {
    std::string result;
    for (const auto& x : xs)
      result += x.event.name + ":" + to_string(x.why.code) + " ";
    return result;
  }

  struct listening {
    std::vector<failed_add> got;
    std::deque<caf::response_promise> answers;
    caf::actor actor;
  };

  // A listener that answers when the test says so.
  std::shared_ptr<listening> listen() {
    auto result = std::make_shared<listening>();
    auto* st = result.get();
    result->actor = sys.spawn([st](caf::event_based_actor* self) {
      return caf::behavior{
        [=](const failed_add& x) -> caf::result<void> {
          st->got.push_back(x);
          st->answers.push_back(self->make_response_promise());
          return st->answers.back();
        },
        [=](caf::ok_atom) {
          st->answers.front().deliver(caf::unit);
          st->answers.pop_front();
        },
        [=](caf::delete_atom) {
          st->answers.front().deliver(
            make_error({errc::handler_failed, "the disk is full"}));
          st->answers.pop_front();
        },
      };
    });
    auto ok = ask_void(uut, caf::subscribe_atom_v,
                       caf::actor_cast<failure_listener>(result->actor));
    consume_messages();
    CAF_CHECK_EQUAL(ok->why(), "none");
    return result;
  }

  template <class Atom>
  void tell(const listening& x, Atom what) {
    caf::anon_send(x.actor, what);
    consume_messages();
  }

  static void stop(listening& x) {
    x.answers.clear();
    caf::anon_send_exit(x.actor, caf::exit_reason::user_shutdown);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(producer_tests, fixture)

CAF_TEST(adds are answered at once until the window is full) {
  spawn();
  for (const auto* x : {"a", "b", "c"})
    CAF_CHECK_EQUAL(add(x)->why(), "none");
  auto late = add("d");
  auto later = add("e");
  CAF_CHECK(!late->arrived && !later->arrived);
  CAF_CHECK_EQUAL(info().open, 3u);
  CAF_CHECK_EQUAL(info().waiting, 2u);
  CAF_CHECK_EQUAL(info().open_bytes, 6u);
  answer();
  CAF_CHECK_EQUAL(late->why(), "none");
  CAF_CHECK(!later->arrived); // one place was free
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(later->why(), "none");
  CAF_CHECK_EQUAL(redis.st->stored, (texts{"a", "b", "c", "d", "e"}));
  CAF_CHECK_EQUAL(info().added, 5u);
  CAF_CHECK_EQUAL(info().most_open, 3u);
  CAF_CHECK_EQUAL(info().open, 0u);
}

CAF_TEST(the size of the open events bounds the window as well) {
  spawn();
  CAF_CHECK(add("a", std::string(60, 'y'))->arrived);
  auto large = add("b", std::string(60, 'y'));
  auto small = add("c", "y");
  CAF_CHECK(!large->arrived && !small->arrived); // it does not overtake
  answer(errc::none, 9);
  CAF_CHECK(large->ok() && small->ok());
  CAF_CHECK_EQUAL(redis.st->stored, (texts{"a", "b", "c"}));
  CAF_CHECK(info().most_open_bytes <= 100);
  auto huge = add("d", std::string(500, 'y'));
  CAF_CHECK(huge->ok());
  CAF_CHECK_EQUAL(info().added, 4u);
}

CAF_TEST(adds that come while requests are under way are sent together) {
  options.max_open = 100;
  options.max_open_bytes = 10'000;
  spawn();
  for (int i = 0; i < 40; ++i)
    CAF_CHECK(add(std::to_string(i))->arrived);
  CAF_CHECK_EQUAL(redis.st->waiting.size(), 3u);
  answer();
  CAF_CHECK_EQUAL(redis.st->waiting.back().events.size(), 37u);
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(info().added, 40u);
  for (size_t i = 0; i < 40; ++i)
    CAF_CHECK_EQUAL(redis.st->stored[i], std::to_string(i));
  CAF_CHECK_EQUAL(redis.st->most_waiting, 3u);
}

CAF_TEST(full requests do not wait for small ones) {
  options.max_open = 2'000;
  options.max_open_bytes = 1'000'000;
  spawn();
  for (int i = 0; i < 3 + 127; ++i)
    add(std::to_string(i));
  CAF_CHECK_EQUAL(redis.st->waiting.size(), 3u);
  add("makes the fourth request full");
  CAF_CHECK_EQUAL(redis.st->waiting.size(), 4u);
  CAF_CHECK_EQUAL(redis.st->waiting.back().events.size(), 128u);
  for (int i = 0; i < 1'000; ++i)
    add(std::to_string(i));
  CAF_CHECK_EQUAL(redis.st->waiting.size(), 10u);
}

CAF_TEST(what fails is kept for a flush and stays open until then) {
  spawn();
  add("a");
  add("bad", "x");
  add("c");
  auto waits = flush();
  CAF_CHECK(!waits->arrived);
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(waits->why(), "none");
  CAF_CHECK_EQUAL(names(waits->value), "bad:payload_too_large ");
  CAF_CHECK_EQUAL(waits->value.front().event.payload, "x");
  CAF_CHECK_EQUAL(info().open, 0u);
  CAF_CHECK_EQUAL(info().failed, 1u);
  CAF_CHECK_EQUAL(names(flush()->value), "");
}

CAF_TEST(a request that fails as a whole fails all its events) {
  spawn();
  add("a");
  answer(errc::closed);
  CAF_CHECK_EQUAL(names(flush()->value), "a:overloaded ");
}

CAF_TEST(a flush waits for what came before it only) {
  spawn();
  add("a");
  auto first = flush();
  add("b");
  answer();
  CAF_CHECK(first->ok());
  CAF_CHECK_EQUAL(info().open, 1u);
}

CAF_TEST(a flush that takes too long takes nothing) {
  spawn();
  add("bad", "x");
  add("b");
  answer();
  auto uut_flush = flush(2s);
  pass(1'900ms);
  CAF_CHECK(!uut_flush->arrived);
  pass(200ms);
  CAF_CHECK_EQUAL(uut_flush->why().substr(0, 9), "timed_out");
  answer();
  CAF_CHECK_EQUAL(names(flush()->value), "bad:payload_too_large ");
}

CAF_TEST(failed events that nobody takes fill the window and are named) {
  spawn();
  for (int i = 0; i < 3; ++i)
    add("bad", "x");
  auto waits = add("d");
  CAF_CHECK(!waits->arrived);
  answer(errc::none, 9);
  CAF_CHECK(waits->why().find("overloaded: 3 events could not be added") == 0u);
  CAF_CHECK(waits->why().find("payload_too_large") != std::string::npos);
  CAF_CHECK(!add("e")->ok());
  CAF_CHECK_EQUAL(flush()->value.size(), 3u);
  CAF_CHECK(add("f")->ok());
  CAF_CHECK_EQUAL(redis.st->stored, texts{"f"});
}

CAF_TEST(an add waits for max_wait at most) {
  options.max_wait = 1s;
  spawn();
  for (const auto* x : {"a", "b", "c"})
    add(x);
  auto first = add("d");
  pass(600ms);
  auto second = add("e");
  pass(600ms);
  CAF_CHECK_EQUAL(first->why().substr(0, 10), "overloaded");
  CAF_CHECK(!second->arrived);
  pass(500ms);
  CAF_CHECK_EQUAL(second->why().substr(0, 10), "overloaded");
  CAF_CHECK_EQUAL(info().waiting, 0u);
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(redis.st->stored, (texts{"a", "b", "c"}));
}

CAF_TEST(the adds that wait are bounded by number and size) {
  options.max_open = 1;
  options.max_waiting = 2;
  spawn();
  add("a");
  CAF_CHECK(!add("b")->arrived && !add("c")->arrived);
  CAF_CHECK_EQUAL(add("d")->why().substr(0, 10), "overloaded");
  answer(errc::none, 3);
  add("a");
  CAF_CHECK(!add("b", std::string(90, 'y'))->arrived);
  CAF_CHECK_EQUAL(add("c", std::string(20, 'y'))->why().substr(0, 10),
                  "overloaded");
}

CAF_TEST(a listener gets the failed events one at a time) {
  spawn();
  auto who = listen();
  add("bad", "x");
  add("worse", "x");
  add("good");
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(names(who->got), "bad:payload_too_large ");
  CAF_CHECK_EQUAL(info().open, 2u);
  CAF_CHECK_EQUAL(info().untaken, 2u);
  auto waits = flush(10s);
  CAF_CHECK(!waits->arrived);
  tell(*who, caf::ok_atom_v);
  CAF_CHECK_EQUAL(who->got.size(), 2u);
  tell(*who, caf::ok_atom_v);
  CAF_CHECK_EQUAL(waits->why(), "none");
  CAF_CHECK(waits->value.empty());
  CAF_CHECK_EQUAL(info().open, 0u);
  stop(*who);
}

CAF_TEST(what the listener does not take is kept) {
  spawn();
  auto who = listen();
  add("bad", "x");
  add("worse", "x");
  answer(errc::none, 9);
  tell(*who, caf::delete_atom_v);
  CAF_CHECK_EQUAL(warnings.size(), 1u);
  CAF_CHECK_EQUAL(who->got.size(), 2u);
  stop(*who); // before it answers
  consume_messages();
  CAF_CHECK_EQUAL(names(flush()->value),
                  "bad:payload_too_large worse:payload_too_large ");
  auto dead = ask_void(uut, caf::subscribe_atom_v,
                       caf::actor_cast<failure_listener>(who->actor));
  consume_messages();
  CAF_CHECK_EQUAL(dead->why().substr(0, 18), "no_such_subscriber");
}

CAF_TEST(a listener that comes late gets what was kept) {
  spawn();
  add("bad", "x");
  answer();
  auto who = listen();
  CAF_CHECK_EQUAL(names(who->got), "bad:payload_too_large ");
  tell(*who, caf::ok_atom_v);
  CAF_CHECK(flush()->value.empty());
  stop(*who);
}

CAF_TEST(close waits for the open adds and gives back what failed) {
  spawn();
  add("a");
  add("bad", "x");
  auto closed = close();
  CAF_CHECK(!closed->arrived);
  CAF_CHECK_EQUAL(add("c")->why().substr(0, 6), "closed");
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(closed->why(), "none");
  CAF_CHECK_EQUAL(names(closed->value), "bad:payload_too_large ");
  CAF_CHECK_EQUAL(redis.st->stored, texts{"a"});
}

CAF_TEST(close gives up what takes too long) {
  options.max_open = 10;
  options.close_timeout = 1s;
  spawn();
  for (const auto* x : {"a", "b", "c", "d"})
    add(x); // three requests are under way
  auto closed = close();
  pass(900ms);
  CAF_CHECK(!closed->arrived);
  pass(200ms);
  CAF_CHECK_EQUAL(names(closed->value),
                  "a:timed_out b:timed_out c:timed_out d:closed ");
  answer(errc::none, 3); // too late, and does no harm
}

CAF_TEST(a stream that is closed fails what is open) {
  options.max_open = 4;
  spawn();
  for (const auto* x : {"a", "b", "c", "d"})
    add(x);
  auto waits = add("e");
  caf::anon_send_exit(stream, caf::exit_reason::user_shutdown);
  consume_messages();
  redis.st->waiting.clear(); // CAF 1.x answers for promises that are dropped
  CAF_CHECK_EQUAL(waits->why().substr(0, 6), "closed");
  CAF_CHECK_EQUAL(add("f")->why().substr(0, 6), "closed");
  const auto lost = flush();
  CAF_CHECK_EQUAL(lost->why(), "none");
  CAF_CHECK_EQUAL(lost->value.size(), 4u);
  CAF_CHECK_EQUAL(names(lost->value).find("d:closed") != std::string::npos,
                  true);
}

CAF_TEST(a producer without handles lives until its adds have ended) {
  spawn();
  add("a");
  add("bad", "x");
  uut = nullptr;
  consume_messages();
  CAF_CHECK(warnings.empty());
  answer(errc::none, 9);
  CAF_CHECK_EQUAL(redis.st->stored, texts{"a"});
  // It has ended, and says that it has lost something.
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK(warnings[0].find("1 events could not be added")
            != std::string::npos);
}

CAF_TEST(a producer goes on with a stream that its root restarts) {
  fake_stream second;
  stream_actor fresh;
  auto root = sys.spawn([&](caf::event_based_actor*) {
    return caf::behavior{
      [&](caf::get_atom, atom::stream, const std::string& name) {
        CAF_CHECK_EQUAL(name, "orders");
        fresh = second.spawn(sys);
        return fresh;
      },
    };
  });
  options.max_open = 10;
  uut = internal::spawn_producer(
    sys, {stream, caf::actor_cast<root_actor>(root), "orders"}, options,
    std::make_shared<internal::add_queue>(options, "pulse.producer of orders"),
    {});
  consume_messages();
  for (const auto* x : {"a", "b", "c", "d"})
    add(x);
  caf::anon_send_exit(stream, caf::exit_reason::kill);
  consume_messages();
  redis.st->waiting.clear(); // CAF 1.x answers for promises that are dropped
  // What was under way may be stored; the rest goes to the new actor.
  add("e");
  second.st->plans.assign(9, errc::none);
  caf::anon_send(caf::actor_cast<caf::actor>(fresh), caf::tick_atom_v);
  consume_messages();
  CAF_CHECK_EQUAL(second.st->stored, (texts{"d", "e"}));
  CAF_CHECK_EQUAL(names(flush()->value),
                  "a:connection_lost b:connection_lost c:connection_lost ");
  caf::anon_send_exit(fresh, caf::exit_reason::kill);
  caf::anon_send_exit(root, caf::exit_reason::kill);
}

CAF_TEST_FIXTURE_SCOPE_END()
