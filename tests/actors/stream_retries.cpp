#define CAF_SUITE actors.stream_retries

#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/core/log.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include "support/actor_fixture.hpp"
#include "support/fake_connection.hpp"
#include "support/retention_replies.hpp"

// Adds that lose their connection, in virtual time.

using namespace pulse;
using namespace std::chrono_literals;

namespace {

using texts = std::vector<std::string>;

struct fixture : test::actor_fixture {
  test::fake_connection redis{sys};
  stream_options options;
  stream_actor uut;
  texts log;

  fixture() {
    options.name = "s";
    options.retry_timeout = 10s;
    set_log_function(
      [this](log_level, std::string_view line) { log.emplace_back(line); });
    restart();
  }

  ~fixture() override {
    stop();
    set_log_function(nullptr);
  }

  void stop() {
    caf::anon_send_exit(uut, caf::exit_reason::kill);
    consume_messages();
  }

  void restart() {
    if (uut)
      stop();
    uut = spawn_stream(sys, options, redis.handle());
    consume_messages();
    reply(test::retention_reply(redis.commands().back()));
    redis.clear_log();
    log.clear();
  }

  auto add(const std::string& name) {
    auto result = ask<event_id>(uut, caf::add_atom_v, new_event{name, "x", ""});
    consume_messages();
    return result;
  }

  void reply(const std::string& text) {
    redis.answer(text);
    consume_messages();
  }

  void fail(errc code) {
    redis.fail({code, "gone"});
    consume_messages();
  }

  // The reply of the script for one event.
  void reply_found(const std::string& id, int found) {
    reply("*4\r\n*1\r\n$" + std::to_string(id.size()) + "\r\n" + id
          + "\r\n:" + std::to_string(found) + "\r\n:0\r\n:0\r\n");
  }

  [[nodiscard]] size_t repeats() const {
    size_t result = 0;
    for (auto& x : redis.commands())
      if (x[0] == "EVALSHA" && x[1] == resp::add_script().sha1)
        ++result;
    return result;
  }

  stream_counters counters() {
    auto result = ask<stream_info>(uut, atom::info_v);
    consume_messages();
    reply("*10\r\n$6\r\nlength\r\n:0\r\n$17\r\nlast-generated-id\r\n$3\r\n"
          "0-0\r\n$13\r\nentries-added\r\n:0\r\n$11\r\nfirst-entry\r\n$-1"
          "\r\n$10\r\nlast-entry\r\n$-1\r\n*0\r\n-NOPERM no\r\n");
    CAF_CHECK_EQUAL(result->why(), "none");
    return result->value.counters;
  }

  // The clock advances in steps, so that ticks arrive when they are due.
  void pass(caf::timespan time) {
    for (; time > 0s; time -= 100ms) {
      advance_time(100ms);
      consume_messages();
    }
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_retries_tests, fixture)

CAF_TEST(each add carries a field of its own) {
  add("a");
  add("b");
  const auto& first = redis.commands()[0];
  const auto& second = redis.commands()[1];
  CAF_REQUIRE_EQUAL(first.size(), 9u);
  CAF_CHECK_EQUAL(first[7], "u");
  CAF_CHECK_EQUAL(second[7], "u");
  CAF_CHECK(first[8] != second[8]);
}

CAF_TEST(an add of unknown outcome is looked for behind the last known ID) {
  auto first = add("a");
  reply("$4\r\n17-3\r\n");
  auto second = add("b");
  const auto unique = redis.commands().back().back();
  advance_time(300ms);
  fail(errc::connection_lost);
  CAF_CHECK(!second->arrived);
  CAF_REQUIRE_EQUAL(repeats(), 1u);
  const auto& call = redis.commands().back();
  CAF_CHECK_EQUAL(call[3], "pulse:stream:s");
  CAF_CHECK_EQUAL(call[5], "17-3");
  CAF_CHECK_EQUAL(call[6], "300");
  CAF_CHECK_EQUAL(call.back(), unique);
  CAF_CHECK(redis.waiting().front().source->repeatable);
  reply_found("18-1", 1);
  CAF_REQUIRE(second->ok());
  CAF_CHECK(second->value == (event_id{18, 1}));
  const auto x = counters();
  CAF_CHECK_EQUAL(x.added, 2u);
  CAF_CHECK_EQUAL(x.retried, 1u);
  CAF_CHECK_EQUAL(x.found, 1u);
  CAF_REQUIRE_EQUAL(log.size(), 2u);
  CAF_CHECK(contains(log[0], "the connection was lost during 1 adds"));
  CAF_CHECK(contains(log[1], "confirmed again"));
}

CAF_TEST(a timeout is an unknown outcome and a refusal is none) {
  auto late = add("a");
  fail(errc::timed_out);
  CAF_CHECK_EQUAL(repeats(), 1u);
  reply_found("1-1", 0);
  CAF_CHECK(late->ok());
  auto refused = add("b");
  fail(errc::connect_failed);
  CAF_CHECK_EQUAL(repeats(), 1u);
  CAF_CHECK_EQUAL(refused->why(), "connect_failed: stream \"s\": gone");
}

CAF_TEST(many batches of unknown outcome are repeated in their order) {
  constexpr size_t count = 4;
  std::vector<std::shared_ptr<answer<std::vector<add_result>>>> results;
  for (size_t i = 0; i < count; ++i) {
    const std::vector<new_event> events(128, new_event{"many", "x", ""});
    results.push_back(
      ask<std::vector<add_result>>(uut, caf::add_atom_v, events));
    consume_messages();
  }
  CAF_REQUIRE_EQUAL(redis.waiting().size(), count);
  texts uniques;
  for (const auto& x : redis.waiting())
    uniques.push_back(x.commands.back().back());
  for (size_t i = 0; i < count; ++i)
    fail(errc::connection_lost);
  CAF_REQUIRE_EQUAL(repeats(), count);
  texts repeated;
  for (const auto& x : redis.waiting())
    repeated.push_back(x.commands.back().back());
  CAF_CHECK(repeated == uniques);
  for (size_t i = 0; i < count; ++i)
    CAF_CHECK(!results[i]->arrived);
}

CAF_TEST(what comes later stays behind) {
  auto first = add("a");
  auto second = add("b");
  fail(errc::connection_lost);
  fail(errc::connection_lost);
  CAF_CHECK_EQUAL(repeats(), 2u);
  auto third = add("c");
  CAF_CHECK_EQUAL(redis.commands().size(), 4u);
  reply_found("1-1", 0);
  CAF_CHECK_EQUAL(redis.commands().size(), 4u);
  reply_found("1-2", 0);
  CAF_REQUIRE_EQUAL(redis.commands().size(), 5u);
  CAF_CHECK_EQUAL(redis.commands()[4][0], "XADD");
  reply("$3\r\n1-3\r\n");
  CAF_CHECK(first->ok() && second->ok() && third->ok());
}

CAF_TEST(a server that does not serve yet is asked again after a pause) {
  auto result = add("a");
  fail(errc::connection_lost);
  for (size_t i = 1; i <= 3; ++i) {
    CAF_CHECK_EQUAL(repeats(), i);
    reply("-LOADING Redis is loading\r\n");
    CAF_CHECK_EQUAL(repeats(), i);
    pass(2s);
  }
  CAF_CHECK_EQUAL(repeats(), 4u);
  reply_found("1-1", 1);
  CAF_CHECK(result->ok());
}

CAF_TEST(in the end the outcome is unknown) {
  auto result = add("a");
  auto behind = add("b");
  auto waiting = add("c");
  const auto begin = sched.clock().now();
  for (int i = 0; i < 100 && !result->arrived; ++i) {
    while (!redis.waiting().empty())
      fail(errc::connection_lost);
    pass(500ms);
  }
  const auto took = sched.clock().now() - begin;
  CAF_CHECK(took >= 10s && took < 13s);
  CAF_CHECK(contains(result->why(), "connection_lost: stream \"s\": the "
                                    "connection was lost during the add"));
  CAF_CHECK(contains(behind->why(), "connection_lost: "));
  // The add was never sent, so its outcome is known.
  CAF_CHECK(contains(waiting->why(), "connect_failed: stream \"s\": not sent"));
  // After the first seconds there are only a few attempts per second.
  CAF_CHECK(repeats() < 30u);
}

CAF_TEST(what waiting does not cure ends the attempts) {
  auto result = add("a");
  fail(errc::connection_lost);
  reply("-WRONGTYPE no stream\r\n");
  // The event may have been stored before that.
  CAF_CHECK(contains(result->why(), "connection_lost: stream \"s\": "));
  CAF_CHECK(contains(result->why(), "wrong_type: WRONGTYPE no stream"));
  CAF_CHECK_EQUAL(repeats(), 1u);
}

CAF_TEST(closing ends the attempts) {
  auto result = add("a");
  fail(errc::connection_lost);
  auto closed = ask_void(uut, caf::close_atom_v);
  consume_messages();
  CAF_CHECK(!closed->arrived);
  fail(errc::connect_failed);
  CAF_CHECK(contains(result->why(), "connection_lost: stream \"s\""));
  CAF_CHECK(closed->ok());
}

CAF_TEST(without idempotence the caller learns that the outcome is unknown) {
  options.idempotent = false;
  restart();
  auto result = add("a");
  CAF_CHECK_EQUAL(redis.commands().back().size(), 7u);
  fail(errc::connection_lost);
  CAF_CHECK_EQUAL(repeats(), 0u);
  CAF_CHECK_EQUAL(result->why(), "connection_lost: stream \"s\": gone");
}

CAF_TEST(retries may be switched off by their timeout) {
  options.retry_timeout = 0ms;
  restart();
  auto result = add("a");
  fail(errc::connection_lost);
  CAF_CHECK_EQUAL(repeats(), 0u);
  CAF_CHECK_EQUAL(result->why(), "connection_lost: stream \"s\": gone");
}

CAF_TEST_FIXTURE_SCOPE_END()
