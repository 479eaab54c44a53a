#define CAF_SUITE actors.stream_actor

#include "pulse/actors/internal/stream/actor.hpp"
#include "pulse/core/log.hpp"
#include "pulse/resp/stream_scripts.hpp"

#include "support/actor_fixture.hpp"
#include "support/fake_connection.hpp"
#include "support/retention_replies.hpp"

using namespace pulse;
using namespace std::chrono_literals;

namespace {

using texts = std::vector<std::string>;

struct fixture : test::actor_fixture {
  test::fake_connection redis{sys};
  stream_options options;
  stream_actor uut;
  uint64_t last_id = 0;
  texts warnings;
  texts infos;

  fixture() {
    options.name = "s";
    // Adds with a unique field have their own tests, too.
    options.idempotent = false;
    set_log_function([this](log_level level, std::string_view line) {
      if (level >= log_level::warning)
        warnings.emplace_back(line);
      else if (level == log_level::info)
        infos.emplace_back(line);
    });
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

  // Spawns the actor, which asks Redis at once what the stream keeps.
  void spawn() {
    if (uut)
      stop();
    uut = spawn_stream(sys, options, redis.handle());
    consume_messages();
  }

  // The same, and Redis agrees.
  void restart() {
    spawn();
    redis.answer(test::retention_reply(redis.commands().back()));
    consume_messages();
    redis.clear_log();
    warnings.clear();
  }

  auto add(const std::string& name) {
    auto result = ask<event_id>(uut, caf::add_atom_v, new_event{name, "x", ""});
    consume_messages();
    return result;
  }

  auto add_many(size_t count) {
    std::vector<new_event> events(count, new_event{"many", "x", ""});
    auto result = ask<std::vector<add_result>>(uut, caf::add_atom_v,
                                               std::move(events));
    consume_messages();
    return result;
  }

  auto close() {
    auto result = ask_void(uut, caf::close_atom_v);
    consume_messages();
    return result;
  }

  // Replies to the oldest batch with IDs.
  void confirm() {
    std::string replies;
    for (auto& x : redis.waiting().front().commands)
      if (x[0] == "XADD") {
        const auto id = to_string(event_id{1, ++last_id});
        replies += "$" + std::to_string(id.size()) + "\r\n" + id + "\r\n";
      } else {
        replies += "*6\r\n:0\r\n:1\r\n$0\r\n\r\n:0\r\n:0\r\n:0\r\n"; // a trim
      }
    redis.answer(replies);
    consume_messages();
  }

  // Answers the oldest batch, which asks what the stream keeps.
  void agree(const stream_retention& stored = {}) {
    reply(test::retention_reply(stored));
  }

  void reply(const std::string& text) {
    redis.answer(text);
    consume_messages();
  }

  [[nodiscard]] texts sizes_under_way() const {
    texts result;
    for (auto& x : redis.waiting())
      result.push_back(std::to_string(x.commands.size()));
    return result;
  }

  // CAF_CHECK_EQUAL keeps references, so log().back() would dangle.
  [[nodiscard]] std::string last_command() const {
    return test::to_text(redis.commands().back());
  }

  [[nodiscard]] size_t trims() const {
    size_t result = 0;
    for (auto& x : redis.commands())
      if (x[0] == "EVALSHA" && x[1] == resp::trim_script().sha1)
        ++result;
    return result;
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(stream_actor_tests, fixture)

// -- batches ------------------------------------------------------------------

CAF_TEST(an add goes to Redis at once and answers the ID) {
  auto result = ask<event_id>(uut, caf::add_atom_v,
                              new_event{"placed", "payload", "eu"});
  consume_messages();
  CAF_CHECK(redis.log()
            == texts({"XADD pulse:stream:s * n placed p payload t eu"}));
  CAF_CHECK(!result->arrived);
  reply("$4\r\n17-3\r\n");
  CAF_REQUIRE(result->ok());
  CAF_CHECK(result->value == (event_id{17, 3}));
}

CAF_TEST(two batches are under way and the rest forms the next one) {
  for (auto* name : {"a", "b", "c", "d", "e"})
    add(name);
  CAF_CHECK(sizes_under_way() == texts({"1", "1"}));
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"1", "3"}));
  add("f");
  add("g");
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"3", "2"}));
}

CAF_TEST(events reach Redis in the order of the adds and get their own IDs) {
  std::vector<std::shared_ptr<answer<event_id>>> results;
  texts expected;
  for (int i = 0; i < 50; ++i) {
    const auto name = "e" + std::to_string(i);
    results.push_back(add(name));
    expected.push_back("XADD pulse:stream:s * n " + name + " p x");
    if (i % 7 == 0)
      confirm();
  }
  while (!redis.waiting().empty())
    confirm();
  CAF_CHECK(redis.log() == expected);
  for (size_t i = 0; i < results.size(); ++i)
    CAF_CHECK(results[i]->ok() && results[i]->value == (event_id{1, i + 1}));
}

CAF_TEST(nothing overtakes a script that Redis may not know yet) {
  add("a");
  auto unique = ask<event_id>(uut, caf::add_atom_v,
                              new_event{"b", "x", "", "dedup"});
  consume_messages();
  add("c");
  ask<event_id>(uut, caf::add_atom_v, new_event{"d", "x", "", "other"});
  consume_messages();
  CAF_CHECK(sizes_under_way() == texts({"1", "1"}));
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"1"}));
  // The connection repeats the call behind what was sent meanwhile. So nothing
  // may be sent before the reply.
  reply("*4\r\n*1\r\n$3\r\n9-1\r\n:0\r\n:0\r\n:0\r\n");
  CAF_CHECK(unique->ok());
  CAF_CHECK(sizes_under_way() == texts({"1"}));
  CAF_CHECK_EQUAL(redis.commands().back()[0], "EVALSHA");
}

CAF_TEST(a small batch waits until less is under way) {
  add("a");
  add_many(9);
  add("b");
  CAF_CHECK(sizes_under_way() == texts({"1", "9"}));
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"9"}));
  add_many(3);
  CAF_CHECK(sizes_under_way() == texts({"9"}));
  add("c");
  CAF_CHECK(sizes_under_way() == texts({"9", "5"}));
  add("d");
  CAF_CHECK(sizes_under_way() == texts({"9", "5"}));
  confirm();
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"1"}));
}

CAF_TEST(many events are sent in pieces and at most a thousand wait for Redis) {
  add("a");
  add("b");
  auto result = add_many(1'500);
  texts expected{"1", "1"};
  expected.insert(expected.end(), 8, "128");
  CAF_CHECK(sizes_under_way() == expected);
  confirm();
  confirm();
  CAF_CHECK_EQUAL(redis.waiting().size(), 8u);
  confirm();
  CAF_CHECK_EQUAL(redis.waiting().size(), 8u);
  while (redis.waiting().size() > 1)
    confirm();
  CAF_CHECK(sizes_under_way() == texts({"92"}));
  CAF_CHECK(!result->arrived);
  confirm();
  CAF_REQUIRE(result->ok());
  CAF_CHECK_EQUAL(result->value.size(), 1'500u);
  CAF_CHECK(result->value.front().id == (event_id{1, 3}));
  CAF_CHECK(result->value.back().id == (event_id{1, 1'502}));
}

CAF_TEST(full batches do not wait for small ones) {
  add("a");
  add_many(3);
  add_many(129);
  CAF_CHECK(sizes_under_way() == texts({"1", "3", "128"}));
}

CAF_TEST(a batch ends with the event that makes it exceed 32 KiB) {
  add("a");
  add("b");
  for (int i = 0; i < 5; ++i) {
    ask<event_id>(uut, caf::add_atom_v,
                  new_event{"big", std::string(20'000, 'x'), ""});
    consume_messages();
  }
  CAF_CHECK(sizes_under_way() == texts({"1", "1", "2", "2"}));
}

CAF_TEST(about one MiB of events is under way) {
  for (int i = 0; i < 5; ++i) {
    ask<event_id>(uut, caf::add_atom_v,
                  new_event{"big", std::string(400'000, 'x'), ""});
    consume_messages();
  }
  CAF_CHECK(sizes_under_way() == texts({"1", "1", "1"}));
  confirm();
  CAF_CHECK(sizes_under_way() == texts({"1", "1", "1"}));
}

CAF_TEST(events that need the script share one call) {
  auto add_unique = [this](const std::string& id) {
    ask<event_id>(uut, caf::add_atom_v, new_event{"n", "x", "", id});
    consume_messages();
  };
  add_unique("first");
  const auto arguments = redis.commands().back().size();
  for (int i = 0; i < 300; ++i)
    add_unique(std::to_string(i));
  CAF_CHECK(sizes_under_way() == texts({"1"}));
  reply("*4\r\n*1\r\n$3\r\n9-1\r\n:0\r\n:0\r\n:0\r\n");
  CAF_CHECK(sizes_under_way() == texts({"1"}));
  CAF_CHECK(redis.commands().back().size() > arguments + 299);
}

CAF_TEST(several events are one batch with one answer) {
  auto result = add_many(3);
  CAF_CHECK(sizes_under_way() == texts({"3"}));
  reply("$3\r\n1-1\r\n-OOM full\r\n$3\r\n1-2\r\n");
  CAF_REQUIRE(result->ok());
  CAF_REQUIRE_EQUAL(result->value.size(), 3u);
  CAF_CHECK(result->value[0].id == (event_id{1, 1}));
  CAF_CHECK(result->value[0].code == errc::none);
  CAF_CHECK(result->value[1].code == errc::out_of_memory);
  CAF_CHECK(contains(result->value[1].what, "stream \"s\": OOM full"));
  CAF_CHECK(result->value[2].id == (event_id{1, 2}));
}

CAF_TEST(no events are answered without Redis) {
  auto result = add_many(0);
  CAF_CHECK(result->ok());
  CAF_CHECK(result->value.empty());
  CAF_CHECK_EQUAL(redis.batches(), 0u);
}

CAF_TEST(a plain message is added and not answered) {
  self->send(uut, caf::add_atom_v, new_event{"placed", "x", ""});
  consume_messages();
  confirm();
  CAF_CHECK_EQUAL(redis.commands().size(), 1u);
  CAF_CHECK(self->mailbox().empty());
}

// -- failures of single events ------------------------------------------------

CAF_TEST(an invalid event never reaches Redis) {
  options.max_payload = 3;
  restart();
  auto bad_name = add("no name");
  auto too_large = ask<event_id>(uut, caf::add_atom_v,
                                 new_event{"a", "1234", ""});
  auto bad_topic = ask<event_id>(uut, caf::add_atom_v, new_event{"a", "", "*"});
  consume_messages();
  CAF_CHECK_EQUAL(bad_name->why().find("invalid_name: event name"), 0u);
  CAF_CHECK_EQUAL(too_large->why().find("payload_too_large: "), 0u);
  CAF_CHECK_EQUAL(bad_topic->why().find("invalid_name: topic"), 0u);
  CAF_CHECK_EQUAL(redis.batches(), 0u);
}

CAF_TEST(an invalid event of several fails alone) {
  const std::vector<new_event> events{{"a", "x", ""},
                                      {"", "x", ""},
                                      {"c", "x", ""}};
  auto result = ask<std::vector<add_result>>(uut, caf::add_atom_v, events);
  consume_messages();
  CAF_CHECK(redis.log()
            == texts({"XADD pulse:stream:s * n a p x",
                      "XADD pulse:stream:s * n c p x"}));
  confirm();
  CAF_REQUIRE(result->ok());
  CAF_CHECK(result->value[0].id == (event_id{1, 1}));
  CAF_CHECK(result->value[1].code == errc::invalid_name);
  CAF_CHECK(!result->value[1].what.empty());
  CAF_CHECK(result->value[2].id == (event_id{1, 2}));
}

CAF_TEST(only invalid events are answered without Redis) {
  const std::vector<new_event> events(2, new_event{"", "x", ""});
  auto result = ask<std::vector<add_result>>(uut, caf::add_atom_v, events);
  consume_messages();
  CAF_REQUIRE(result->ok());
  CAF_CHECK(result->value[1].code == errc::invalid_name);
  CAF_CHECK_EQUAL(redis.batches(), 0u);
}

CAF_TEST(a refused event names the stream and what Redis said) {
  auto refused = add("a");
  auto added = add("b");
  reply("-WRONGTYPE Operation against a key\r\n");
  confirm();
  CAF_CHECK_EQUAL(refused->why(),
                  "wrong_type: stream \"s\": WRONGTYPE Operation against a key "
                  "(the key holds no stream: use another name)");
  CAF_CHECK(added->ok());
}

CAF_TEST(adding to a stream that does not exist can be refused) {
  auto result = ask<event_id>(uut, atom::add_exist_v, new_event{"a", "x", ""});
  consume_messages();
  CAF_CHECK(redis.log() == texts({"XADD pulse:stream:s NOMKSTREAM * n a p x"}));
  reply("$-1\r\n");
  CAF_CHECK_EQUAL(result->why(),
                  "no_such_stream: stream \"s\": there is no such stream (add "
                  "an event first, or check the name)");
}

CAF_TEST(what Redis refuses is logged once per minute and when it ends) {
  for (int i = 0; i < 5; ++i) {
    add("a");
    reply("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    advance_time(1s);
  }
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK_EQUAL(warnings[0],
                  "pulse.stream s: adds fail, 1 since the last such line: "
                  "out_of_memory: OOM command not allowed when used memory > "
                  "'maxmemory'.");
  advance_time(60s);
  add("a");
  reply("-OOM\r\n");
  agree();
  CAF_REQUIRE_EQUAL(warnings.size(), 2u);
  CAF_CHECK(contains(warnings[1], "adds fail, 5 since the last such line"));
  // Another reason is logged at once.
  for (auto* why : {"-READONLY no\r\n", "-MISCONF disk\r\n"}) {
    add("a");
    reply(why);
  }
  CAF_REQUIRE_EQUAL(warnings.size(), 4u);
  CAF_CHECK(contains(warnings[2], "read_only: READONLY no"));
  CAF_CHECK(contains(warnings[3], "unavailable: MISCONF disk"));
  CAF_CHECK(infos.empty());
  add("a");
  confirm();
  CAF_REQUIRE_EQUAL(infos.size(), 1u);
  CAF_CHECK(contains(infos[0], "adds are confirmed again, after 1 had failed"));
}

// -- failures of batches ------------------------------------------------------

CAF_TEST(a lost connection fails the events of its batch only) {
  auto first = add("a");
  auto second = add("b");
  auto many = add_many(2);
  redis.fail({errc::connection_lost, "lost"});
  consume_messages();
  CAF_CHECK_EQUAL(first->why(), "connection_lost: stream \"s\": lost");
  confirm();
  CAF_CHECK(second->ok());
  redis.fail({errc::connection_lost, "lost again"});
  consume_messages();
  CAF_REQUIRE(many->ok());
  for (auto& x : many->value) {
    CAF_CHECK(x.code == errc::connection_lost);
    CAF_CHECK_EQUAL(x.what, "stream \"s\": lost again");
  }
}

CAF_TEST(without a connection nobody waits twice as long) {
  add("a");
  add("b");
  auto early = add("c");
  advance_time(4s);
  auto late = ask<uint64_t>(uut, atom::trim_v, uint64_t{1});
  auto later = add("d");
  advance_time(1s);
  redis.fail({errc::connect_failed, "refused"});
  consume_messages();
  CAF_CHECK_EQUAL(early->why(), "connect_failed: stream \"s\": refused");
  CAF_CHECK(!later->arrived);
  confirm();
  CAF_CHECK(redis.log()[2] == "XADD pulse:stream:s * n d p x");
}

CAF_TEST(a dead connection is an error and no silence) {
  caf::anon_send_exit(redis.handle(), caf::exit_reason::kill);
  consume_messages();
  CAF_CHECK_EQUAL(add("a")->why().find("closed: stream \"s\": "), 0u);
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(beyond max_queued adds are refused until there is room) {
  options.max_queued = 3;
  restart();
  add("underway");
  add("underway");
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(add("waits")->why(), "no answer");
  CAF_CHECK_EQUAL(add("refused")->why(),
                  "overloaded: stream \"s\": 3 requests wait for Redis and "
                  "max_queued is 3: slow down and retry");
  CAF_CHECK_EQUAL(add_many(1)->why().find("overloaded: "), 0u);
  auto info = ask<stream_info>(uut, atom::info_v);
  consume_messages();
  CAF_CHECK_EQUAL(info->why().find("overloaded: "), 0u);
  confirm();
  CAF_CHECK_EQUAL(add("fits")->why(), "no answer");
}

CAF_TEST(beyond max_queued_bytes adds are refused until there is room) {
  options.max_payload = 10'000;
  options.max_queued_bytes = 10'000;
  restart();
  add("underway");
  add("underway");
  auto add_bytes = [&](size_t size) {
    auto x = ask<event_id>(uut, caf::add_atom_v,
                           new_event{"a", std::string(size, 'x'), ""});
    consume_messages();
    return x->why();
  };
  CAF_CHECK_EQUAL(add_bytes(9'000), "no answer");
  const auto why = add_bytes(1'000);
  CAF_CHECK_EQUAL(why.find("overloaded: stream \"s\": 9"), 0u);
  CAF_CHECK(contains(why, "max_queued_bytes is 10000"));
  confirm();
  CAF_CHECK_EQUAL(add_bytes(1'000), "no answer");
}

CAF_TEST(what is larger than the queue passes when nothing waits) {
  options.max_queued = 3;
  restart();
  auto result = add_many(5);
  CAF_CHECK(sizes_under_way() == texts({"5"}));
  confirm();
  CAF_CHECK(result->ok());
}

CAF_TEST(refused adds of several are an error of the whole) {
  options.max_queued = 3;
  restart();
  add("underway");
  add("underway");
  add("waits");
  auto result = add_many(3);
  CAF_CHECK_EQUAL(result->why().find("overloaded: "), 0u);
  CAF_CHECK_EQUAL(add_many(2)->why(), "no answer");
}

// -- time to live -------------------------------------------------------------

CAF_TEST(with a time to live each batch is a transaction) {
  options.ttl = 10s;
  restart();
  auto first = add("a");
  auto second = add("b");
  CAF_CHECK(redis.log()
            == texts({"MULTI", "XADD pulse:stream:s * n a p x",
                      "PEXPIRE pulse:stream:s 10000 NX", "EXEC", "MULTI",
                      "XADD pulse:stream:s * n b p x",
                      "PEXPIRE pulse:stream:s 10000 NX", "EXEC"}));
  reply("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$3\r\n1-1\r\n:1\r\n");
  CAF_CHECK(first->ok());
  reply("+OK\r\n-OOM full\r\n+QUEUED\r\n-EXECABORT Transaction discarded "
        "because of previous errors.\r\n");
  CAF_CHECK_EQUAL(second->why().find("out_of_memory: stream \"s\": OOM full"),
                  0u);
}

// -- trimming -----------------------------------------------------------------

CAF_TEST(protected streams are trimmed by a script after enough adds) {
  options.protect_unacked = true;
  options.max_len = 100'000;
  restart();
  add_many(1);
  confirm();
  CAF_CHECK_EQUAL(trims(), 1u);
  CAF_CHECK_EQUAL(last_command(), "EVALSHA "
                                    + std::string{resp::trim_script().sha1}
                                    + " 2 pulse:stream:s "
                                      "{pulse:stream:s}:retention 100000 0 1");
  CAF_CHECK(redis.waiting().front().source->lua == &resp::trim_script());
  confirm();
  add_many(999);
  while (!redis.waiting().empty())
    confirm();
  CAF_CHECK_EQUAL(trims(), 1u);
  add_many(1);
  confirm();
  CAF_CHECK_EQUAL(trims(), 2u);
  confirm();
  add_many(1);
  confirm();
  CAF_CHECK_EQUAL(trims(), 2u);
  advance_time(1s);
  consume_messages();
  CAF_CHECK_EQUAL(trims(), 2u);
  add_many(1);
  confirm();
  CAF_CHECK_EQUAL(trims(), 3u);
}

CAF_TEST(unlimited streams need no script) {
  add_many(500);
  confirm();
  CAF_CHECK_EQUAL(trims(), 0u);
}

CAF_TEST(only events that were added count for trimming) {
  options.protect_unacked = true;
  options.max_len = 10;
  restart();
  add("a");
  reply("-OOM full\r\n");
  CAF_CHECK_EQUAL(trims(), 0u);
}

CAF_TEST(a trim that fails is told once and tried again) {
  options.protect_unacked = true;
  options.max_len = 10;
  restart();
  for (int i = 0; i < 3; ++i) {
    add("a");
    confirm();
    reply("-NOPERM no\r\n");
    advance_time(1s);
  }
  CAF_CHECK_EQUAL(trims(), 3u);
  CAF_CHECK(
    warnings
    == texts({"pulse.stream s: cannot trim the stream: permission_denied: "
              "NOPERM no"}));
  add("a");
  confirm();
  redis.fail({errc::timed_out, "too slow"});
  consume_messages();
  CAF_CHECK_EQUAL(
    warnings.back(),
    "pulse.stream s: cannot trim the stream: timed_out: too slow");
}

CAF_TEST(a sink that keeps the stream from being trimmed is named) {
  options.protect_unacked = true;
  options.max_len = 1'000;
  restart();
  add("a");
  confirm();
  reply("*6\r\n:0\r\n:1999\r\n$1\r\nx\r\n:0\r\n:0\r\n:0\r\n");
  CAF_CHECK(warnings.empty());
  advance_time(1s);
  add("a");
  confirm();
  reply("*6\r\n:0\r\n:2000\r\n$7\r\nbilling\r\n:0\r\n:0\r\n:0\r\n");
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK(contains(warnings[0],
                     "the stream has 2000 events, max_len is 1000: "
                     "sink \"billing\" has not acknowledged"));
}

CAF_TEST(events that no sink has had do not go silently) {
  options.max_len = 1'000;
  restart();
  for (int i = 0; i < 3; ++i) {
    add("a");
    confirm();
    reply("*6\r\n:9\r\n:1000\r\n$0\r\n\r\n:0\r\n:0\r\n:7\r\n");
    advance_time(1s);
  }
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK_EQUAL(warnings[0],
                  "pulse.stream s: 7 events were removed that no sink, or not "
                  "every sink, had acknowledged. The stream keeps max_len = "
                  "1000, and has no sink whose events could be protected");
  for (int i = 0; i < 60; ++i) {
    advance_time(1s);
    consume_messages();
  }
  add("a");
  confirm();
  while (warnings.size() == 1 && !redis.waiting().empty())
    if (redis.waiting().front().source->lua == &resp::trim_script())
      reply("*6\r\n:9\r\n:1000\r\n$0\r\n\r\n:0\r\n:0\r\n:7\r\n");
    else
      agree();
  CAF_REQUIRE_EQUAL(warnings.size(), 2u);
  CAF_CHECK(contains(warnings[1], "21 events were removed"));
}

// -- what the stream keeps ----------------------------------------------------

CAF_TEST(an actor asks first what the stream keeps) {
  options.max_age = 1min;
  spawn();
  CAF_CHECK_EQUAL(last_command(),
                  "EVALSHA " + std::string{resp::retention_script().sha1}
                    + " 2 pulse:stream:s {pulse:stream:s}:retention check "
                      "max_len 0  protect_unacked 1  max_age 0 60000 "
                      "hard_max_len 0  on_full reject  ttl 0  ttl_kind "
                      "absolute ");
  auto early = add("a");
  auto keeps = ask<stream_retention>(uut, atom::retention_v);
  consume_messages();
  CAF_CHECK_EQUAL(redis.waiting().size(), 1u);
  stream_retention stored;
  stored.max_age = 1min;
  stored.ttl = 1h;
  agree(stored);
  CAF_REQUIRE(keeps->ok());
  CAF_CHECK(keeps->value == stored);
  // The stored values also count for adds that came before the answer.
  CAF_CHECK_EQUAL(last_command(), "EXEC");
  CAF_CHECK(!early->arrived);
}

CAF_TEST(whoever contradicts what is stored adds nothing until it is changed) {
  options.max_len = 5;
  spawn();
  auto refused = add("a");
  reply("-RETENTION max_len is 100, not 5\r\n");
  CAF_CHECK_EQUAL(refused->why(),
                  "retention_conflict: stream \"s\": RETENTION max_len is 100, "
                  "not 5 (leave these options out, or change what is stored: "
                  "retention = change, or pulse retention)");
  // Each request asks again.
  auto again = add("b");
  CAF_CHECK_EQUAL(redis.waiting().size(), 1u);
  agree();
  confirm();
  CAF_CHECK(again->ok());
}

CAF_TEST(a change must be asked for) {
  options.max_len = 5;
  options.retention = retention_mode::change;
  spawn();
  CAF_CHECK_EQUAL(redis.commands().back()[5], "change");
}

CAF_TEST(without an answer the adds that wait fail and the next one asks) {
  spawn();
  auto first = add("a");
  redis.fail({errc::connect_failed, "refused"});
  consume_messages();
  CAF_CHECK_EQUAL(first->why(), "connect_failed: stream \"s\": refused");
  auto second = add("b");
  agree();
  confirm();
  CAF_CHECK(second->ok());
  auto third = add("c");
  CAF_CHECK_EQUAL(redis.commands().back()[0], "XADD");
}

CAF_TEST(an old user without the right to ask goes on with its own options) {
  options.hard_max_len = 5;
  spawn();
  add("a");
  reply("-NOPERM no hgetall\r\n");
  CAF_CHECK_EQUAL(redis.commands().back()[1], resp::add_script().sha1);
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK(contains(warnings[0], "this one keeps hard_max_len = 5"));
}

CAF_TEST(an actor notices within five seconds that others changed it) {
  for (int i = 0; i < 5; ++i) {
    add("a");
    confirm();
    advance_time(999ms);
    consume_messages();
    CAF_CHECK(redis.waiting().empty());
  }
  advance_time(1s);
  add("a");
  confirm();
  CAF_REQUIRE_EQUAL(redis.commands().back()[1], resp::retention_script().sha1);
  CAF_CHECK_EQUAL(redis.commands().back()[5], "follow");
  stream_retention changed;
  changed.max_len = 1'000;
  agree(changed);
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK_EQUAL(warnings[0],
                  "pulse.stream s: another process changed what the stream "
                  "keeps: max_len = 1000 (before: everything)");
  add("a");
  confirm();
  CAF_CHECK_EQUAL(trims(), 1u);
}

CAF_TEST(a large stream that nothing limits is warned of) {
  spawn();
  redis.answer(test::retention_reply(stream_retention{}, 999'999));
  consume_messages();
  CAF_CHECK(warnings.empty());
  spawn();
  redis.answer(test::retention_reply(stream_retention{}, 1'000'000));
  consume_messages();
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK(contains(warnings[0], "has 1000000 events, and nothing limits it"));
}

// -- other operations ---------------------------------------------------------

CAF_TEST(events are removed by their IDs) {
  auto none = ask<uint64_t>(uut, atom::remove_v, std::vector<event_id>{});
  consume_messages();
  CAF_CHECK(none->ok());
  CAF_CHECK_EQUAL(none->value, 0u);
  auto two = ask<uint64_t>(uut, atom::remove_v,
                           std::vector<event_id>{{1, 2}, {3, 4}});
  consume_messages();
  CAF_CHECK(redis.log() == texts({"XDEL pulse:stream:s 1-2 3-4"}));
  reply(":1\r\n");
  CAF_CHECK(two->ok());
  CAF_CHECK_EQUAL(two->value, 1u);
}

CAF_TEST(a range answers events) {
  auto result = ask<std::vector<event>>(uut, atom::range_v,
                                        range_query{{1, 0}, {9, 9}, 5});
  consume_messages();
  CAF_CHECK(redis.log() == texts({"XRANGE pulse:stream:s 1-0 9-9 COUNT 5"}));
  CAF_CHECK(redis.waiting().front().source->repeatable);
  reply("*1\r\n*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\nn\r\n$1\r\na\r\n$1\r\np\r\n"
        "$1\r\nx\r\n");
  CAF_REQUIRE(result->ok());
  CAF_REQUIRE_EQUAL(result->value.size(), 1u);
  CAF_CHECK(result->value[0] == event::make({"s", {1, 1}}, "a", "x"));
}

CAF_TEST(the limit of a range is checked) {
  for (auto limit : {0u, 10'001u}) {
    auto result = ask<std::vector<event>>(
      uut, atom::range_v, range_query{{}, event_id::max(), limit});
    consume_messages();
    CAF_CHECK_EQUAL(result->why(),
                    "invalid_option: stream \"s\": the limit of a range is "
                      + std::to_string(limit) + ": use 1 to 10000");
  }
  CAF_CHECK_EQUAL(redis.batches(), 0u);
}

CAF_TEST(trimming by request is exact) {
  auto result = ask<uint64_t>(uut, atom::trim_v, uint64_t{100});
  consume_messages();
  CAF_CHECK(redis.log() == texts({"XTRIM pulse:stream:s MAXLEN = 100"}));
  reply(":23\r\n");
  CAF_CHECK_EQUAL(result->value, 23u);
}

CAF_TEST(info asks for stream and groups) {
  auto result = ask<stream_info>(uut, atom::info_v);
  consume_messages();
  CAF_CHECK(
    redis.log()
    == texts({"XINFO STREAM pulse:stream:s", "XINFO GROUPS pulse:stream:s",
              "HMGET {pulse:stream:s}:retention max_len protect_unacked "
              "max_age hard_max_len on_full ttl ttl_kind lost"}));
  CAF_CHECK_EQUAL(redis.batches(), 1u);
  reply("*10\r\n$6\r\nlength\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n1-9\r\n"
        "$13\r\nentries-added\r\n:9\r\n$11\r\nfirst-entry\r\n*2\r\n$3\r\n1-1"
        "\r\n*0\r\n$10\r\nlast-entry\r\n*2\r\n$3\r\n1-2\r\n*0\r\n"
        "*1\r\n*8\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:3\r\n"
        "$7\r\npending\r\n:4\r\n$17\r\nlast-delivered-id\r\n$3\r\n1-2\r\n"
        "*8\r\n$2\r\n10\r\n$1\r\n0\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n"
        "$1\r\n7\r\n");
  CAF_REQUIRE(result->ok());
  auto& x = result->value;
  CAF_CHECK_EQUAL(x.name, "s");
  CAF_CHECK_EQUAL(x.length, 2u);
  CAF_CHECK_EQUAL(x.added, 9u);
  CAF_CHECK(x.first == (event_id{1, 1}));
  CAF_CHECK(x.last == (event_id{1, 2}));
  CAF_REQUIRE_EQUAL(x.groups.size(), 1u);
  CAF_CHECK_EQUAL(x.groups[0].name, "g");
  CAF_CHECK_EQUAL(x.groups[0].consumers, 3u);
  CAF_CHECK_EQUAL(x.groups[0].pending, 4u);
  CAF_CHECK_EQUAL(x.groups[0].lag, -1);
  CAF_CHECK(x.retention_stored);
  CAF_CHECK_EQUAL(to_string(x.retention),
                  "max_len = 10, protect_unacked = false");
  CAF_CHECK_EQUAL(x.lost, 7u);
}

CAF_TEST(info of a stream that does not exist is an error) {
  auto result = ask<stream_info>(uut, atom::info_v);
  consume_messages();
  reply("-ERR no such key\r\n-ERR no such key\r\n-NOPERM no\r\n");
  CAF_CHECK_EQUAL(result->why(),
                  "no_such_stream: stream \"s\": ERR no such key (add an event "
                  "first, or check the name)");
}

CAF_TEST(destroy answers whether the stream existed) {
  for (bool existed : {true, false}) {
    auto result = ask<bool>(uut, atom::destroy_v);
    consume_messages();
    CAF_CHECK_EQUAL(last_command(), "EVALSHA "
                                      + std::string{resp::destroy_script().sha1}
                                      + " 2 pulse:stream:s "
                                        "{pulse:stream:s}:retention");
    reply(existed ? ":1\r\n" : ":0\r\n");
    CAF_CHECK(result->ok());
    CAF_CHECK_EQUAL(result->value, existed);
  }
}

CAF_TEST(replies of the wrong shape are errors) {
  auto removed = ask<uint64_t>(uut, atom::remove_v, std::vector<event_id>{{}});
  auto range = ask<std::vector<event>>(uut, atom::range_v, range_query{});
  auto destroyed = ask<bool>(uut, atom::destroy_v);
  consume_messages();
  for (int i = 0; i < 3; ++i)
    reply("+OK\r\n");
  for (auto& why : {removed->why(), range->why(), destroyed->why()})
    CAF_CHECK_EQUAL(why.find("protocol_error: stream \"s\": "), 0u);
}

CAF_TEST(operations keep their place among waiting adds) {
  add("a");
  add("b");
  add("c");
  ask<uint64_t>(uut, atom::trim_v, uint64_t{7});
  consume_messages();
  ask<bool>(uut, atom::destroy_v);
  consume_messages();
  add("d");
  CAF_CHECK_EQUAL(redis.commands().size(), 2u);
  confirm();
  const auto log = redis.log();
  CAF_REQUIRE_EQUAL(log.size(), 5u);
  CAF_CHECK_EQUAL(log[2], "XADD pulse:stream:s * n c p x");
  CAF_CHECK_EQUAL(log[3], "XTRIM pulse:stream:s MAXLEN = 7");
  CAF_CHECK_EQUAL(log[4].find("EVALSHA"), 0u);
  confirm();
  CAF_CHECK_EQUAL(last_command(), "XADD pulse:stream:s * n d p x");
}

CAF_TEST(operations do not wait for adds that are under way) {
  add("a");
  add("b");
  ask<uint64_t>(uut, atom::trim_v, uint64_t{7});
  consume_messages();
  CAF_CHECK_EQUAL(redis.commands().size(), 3u);
}

// -- close --------------------------------------------------------------------

CAF_TEST(an idle stream closes at once) {
  CAF_CHECK(close()->ok());
  CAF_CHECK_EQUAL(add("a")->why().find("closed: "), 0u);
}

CAF_TEST(close sends what waits and answers it first) {
  add("a");
  add("b");
  auto last = add("c");
  auto info = ask<uint64_t>(uut, atom::trim_v, uint64_t{7});
  consume_messages();
  auto closed = close();
  auto again = close();
  CAF_CHECK_EQUAL(add("d")->why(), "closed: stream \"s\": it is being closed: "
                                   "open it again");
  confirm();
  confirm();
  confirm();
  CAF_CHECK(last->ok());
  CAF_CHECK(!closed->arrived);
  reply(":0\r\n");
  CAF_CHECK(info->ok());
  CAF_CHECK(closed->ok());
  CAF_CHECK(again->ok());
}

CAF_TEST(close does not wait for Redis to come back) {
  add("a");
  add("b");
  auto waiting = add("c");
  advance_time(4s);
  auto late = add("d");
  auto closed = close();
  redis.fail({errc::connect_failed, "refused"});
  redis.fail({errc::connect_failed, "refused"});
  consume_messages();
  CAF_CHECK_EQUAL(waiting->why(), "connect_failed: stream \"s\": refused");
  CAF_CHECK_EQUAL(late->why(), "connect_failed: stream \"s\": refused");
  CAF_CHECK(closed->ok());
}

CAF_TEST(when the actor dies everybody who waits is told) {
  auto under_way = add("a");
  auto many = add_many(3);
  auto waiting = add("b");
  auto trim = ask<uint64_t>(uut, atom::trim_v, uint64_t{7});
  consume_messages();
  auto closed = close();
  stop();
  CAF_CHECK_EQUAL(under_way->why(),
                  "closed: stream \"s\": it was closed before Redis answered; "
                  "the outcome is unknown");
  CAF_CHECK_EQUAL(waiting->why(),
                  "closed: stream \"s\": it was closed before this was sent");
  CAF_CHECK_EQUAL(trim->why(), waiting->why());
  CAF_REQUIRE(many->ok());
  CAF_CHECK(many->value[2].code == errc::closed);
  CAF_CHECK(closed->arrived);
}

CAF_TEST_FIXTURE_SCOPE_END()
