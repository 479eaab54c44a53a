#define CAF_SUITE simulation.checker

#include "pulse/core/names.hpp"

#include "simulation/checker/judge.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::simulation;
using namespace std::chrono_literals;

// Each rule is shown to be kept and to be broken by hand-made histories.

namespace {

const std::string alice = "host.1.A";
const std::string bob = "host.2.B";

struct fixture {
  fixture() {
    sink_rules rules;
    rules.lease = 1s;
    rules.ack_wait = 1s;
    rules.drain_timeout = 1s;
    rules.max_deliveries = 3;
    rules.max_crashes = 2;
    rules.max_in_flight = 2;
    rules.credit = 2;
    for (instance_id id : {1, 2})
      uut.deliveries.instance_opens(id, "x", rules);
    uut.deliveries.worker_joins(11, 1);
    uut.deliveries.worker_joins(12, 1);
    uut.deliveries.worker_joins(21, 2);
    uut.groups.watch("s", "x");
    run({"XGROUP", "CREATE", key, "x", "0", "MKSTREAM"});
  }

  void run(const arguments& command) {
    redis.run(command);
    uut.groups.look();
  }

  void pass(std::chrono::milliseconds time) {
    now += time;
    redis.now += time.count();
  }

  void add(uint64_t n) {
    run({"XADD", key, std::to_string(n) + "-0", "n", "n", "p",
         "1/" + std::to_string(n)});
  }

  void read(const std::string& who, const char* count = "1") {
    run({"XREADGROUP", "GROUP", "x", who, "COUNT", count, "STREAMS", key, ">"});
  }

  void claim(const std::string& who, const char* id, const char* idle) {
    run({"XCLAIM", key, "x", who, "0", id, "IDLE", idle, "JUSTID"});
  }

  static event make(uint64_t n, delivery_counts counts = {1, 0, 0},
                    const char* topic = "") {
    return event::make({"s", {n, 0}}, "n", "p", topic, "x", counts);
  }

  void arrive(worker_id at, const event& x) {
    uut.deliveries.arrives(at, x);
    uut.deliveries.starts(at, x);
  }

  // The rule that was broken first.
  std::string broken() {
    return uut.found.empty() ? "none" : uut.found.all().front().rule;
  }

  const std::string key = stream_key("s");
  time_point now{1h};
  redis_model redis;
  judge uut{now, redis};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(checker_tests, fixture)

CAF_TEST(an event that is read and handled and acknowledged is fine) {
  add(1);
  CAF_CHECK_EQUAL(uut.unfinished(),
                  "stream s, sink x: not everything was read");
  read(alice);
  CAF_CHECK(uut.unfinished().find("1 pending") != std::string::npos);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  run({"XACK", key, "x", "1-0"});
  CAF_CHECK_EQUAL(uut.unfinished(), "");
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(an ack before a worker is done is a loss) {
  add(1);
  read(alice);
  arrive(11, make(1));
  run({"XACK", key, "x", "1-0"});
  CAF_CHECK_EQUAL(broken(), "lost");
}

CAF_TEST(a consumer that is deleted with its pending entries is a loss) {
  add(1);
  read(alice);
  run({"XGROUP", "DELCONSUMER", key, "x", alice});
  CAF_CHECK_EQUAL(broken(), "lost");
}

CAF_TEST(an event that the group skips is found) {
  add(1);
  run({"XGROUP", "SETID", key, "x", "1-0"});
  CAF_CHECK_EQUAL(broken(), "skipped");
}

CAF_TEST(an entry that is pending again after it was settled is found) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  run({"XACK", key, "x", "1-0"});
  run({"XCLAIM", key, "x", bob, "0", "1-0", "FORCE", "JUSTID"});
  CAF_CHECK_EQUAL(broken(), "resurrected");
}

CAF_TEST(others may take over only after a lease) {
  add(1);
  read(alice);
  pass(1s);
  claim(bob, "1-0", "0");
  CAF_CHECK_EQUAL(broken(), "none");
  pass(999ms);
  claim(alice, "1-0", "0");
  CAF_CHECK_EQUAL(broken(), "taken early");
}

CAF_TEST(what was handed back may be taken at once) {
  add(1);
  read(alice);
  claim("released", "1-0", "1000");
  claim(bob, "1-0", "0");
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(what a worker works on is not handed back) {
  add(1);
  read(alice);
  arrive(11, make(1));
  claim("released", "1-0", "1000");
  CAF_CHECK_EQUAL(broken(), "handed back");
}

CAF_TEST(a sink that closes may leave a handler behind in the end) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.instance_closes(1);
  pass(750ms);
  claim("released", "1-0", "1000");
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(two live workers never have the same event) {
  arrive(11, make(1));
  arrive(21, make(1, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(an acknowledged event does not come again) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  arrive(12, make(1, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(the next worker may have it after a failure) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::failed);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after a death) {
  arrive(11, make(1));
  uut.deliveries.worker_dies(11);
  arrive(12, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after ack_wait) {
  arrive(11, make(1));
  pass(1s);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after the death of a node) {
  arrive(11, make(1));
  uut.deliveries.instance_ends(1);
  arrive(21, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(the next worker may have it after Redis gave it to another sink) {
  arrive(11, make(1));
  uut.deliveries.moves({"x", "s", {1, 0}}, 2);
  arrive(21, make(1, {2, 0, 1}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(what Redis gave to another sink counts only if the judge is strict) {
  for (auto strict : {false, true}) {
    uut.deliveries.is_strict = strict;
    const event_id id{strict ? 2u : 1u, 0};
    arrive(11, make(id.ms));
    uut.deliveries.moves({"x", "s", id}, 2);
    arrive(21, make(id.ms, {2, 0, 1}));
    arrive(12, make(id.ms, {2, 0, 0}));
    CAF_CHECK_EQUAL(broken(), strict ? "duplicate" : "none");
  }
}

CAF_TEST(what a deleted group had delivered may come again) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  uut.groups.forget("s", "x");
  run({"XGROUP", "DESTROY", key, "x"});
  run({"XGROUP", "CREATE", key, "x", "0"});
  read(bob);
  arrive(21, make(1));
  CAF_CHECK_EQUAL(broken(), "none");
  add(2);
  read(bob);
  arrive(21, make(2));
  uut.deliveries.ends(21, make(2), ending::acknowledged);
  arrive(11, make(2, {2, 0, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(a group that comes again too far behind is found if all counts) {
  for (auto strict : {false, true}) {
    uut.deliveries.is_strict = strict;
    add(strict ? 2 : 1);
    read(alice);
    uut.groups.forget("s", "x");
    run({"XGROUP", "DESTROY", key, "x"});
    run({"XGROUP", "CREATE", key, "x", "$"});
    CAF_CHECK_EQUAL(broken(), strict ? "skipped" : "none");
  }
}

CAF_TEST(an ack is confirmed when it is stored) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  uut.groups.confirm({"x", "s", {1, 0}});
  CAF_CHECK_EQUAL(broken(), "unconfirmed");
}

CAF_TEST(a worker may ask for more time) {
  arrive(11, make(1));
  pass(700ms);
  uut.deliveries.extends(11, make(1));
  pass(700ms);
  arrive(12, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "duplicate");
}

CAF_TEST(the late answer of a worker may count for the next one) {
  auto rules = *uut.deliveries.rules_of(1);
  rules.manual = true;
  uut.deliveries.instance_opens(3, "y", rules);
  for (worker_id id : {31, 32, 33})
    uut.deliveries.worker_joins(id, 3);
  arrive(31, make(1));
  pass(1s);
  arrive(32, make(1, {2, 1, 0}));
  uut.deliveries.ends(31, make(1), ending::failed);
  arrive(33, make(1, {3, 2, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(a redelivery is counted) {
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::failed);
  arrive(12, make(1));
  CAF_CHECK_EQUAL(broken(), "uncounted");
}

CAF_TEST(an event does not come again after too many failures) {
  arrive(11, make(1, {4, 2, 0}));
  uut.deliveries.ends(11, make(1, {4, 2, 0}), ending::failed);
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(11, make(1, {5, 3, 0}));
  CAF_CHECK_EQUAL(broken(), "attempts");
}

CAF_TEST(first deliveries come in order) {
  arrive(11, make(2));
  arrive(11, make(1, {2, 1, 0}));
  CAF_CHECK_EQUAL(broken(), "none");
  uut.deliveries.ends(11, make(1, {2, 1, 0}), ending::acknowledged);
  arrive(11, make(1));
  CAF_CHECK_EQUAL(uut.found.all().back().rule, "order");
}

CAF_TEST(a worker holds no more than its credit) {
  for (uint64_t n = 1; n <= 2; ++n)
    arrive(11, make(n));
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(11, make(3));
  CAF_CHECK_EQUAL(broken(), "credit");
}

CAF_TEST(a topic is at one worker at a time) {
  auto rules = *uut.deliveries.rules_of(1);
  rules.keyed = true;
  uut.deliveries.instance_opens(3, "y", rules);
  uut.deliveries.worker_joins(31, 3);
  uut.deliveries.worker_joins(32, 3);
  arrive(31, make(1, {1, 0, 0}, "a"));
  arrive(32, make(2, {1, 0, 0}, "b"));
  CAF_CHECK_EQUAL(broken(), "none");
  arrive(32, make(3, {1, 0, 0}, "a"));
  CAF_CHECK_EQUAL(broken(), "topic");
}

CAF_TEST(a sink holds no more than twice its window) {
  for (uint64_t n = 1; n <= 5; ++n)
    add(n);
  read(alice, "4");
  CAF_CHECK_EQUAL(broken(), "none");
  read(alice);
  CAF_CHECK_EQUAL(broken(), "window");
}

CAF_TEST(a dead letter needs a reason) {
  const auto give_up = [this](const char* id, const char* deliveries) {
    run({"XADD", stream_key("s:dead:x"), "*", "n", "n", "p", "p", "x-id", id,
         "x-deliveries", deliveries, "x-crashes", "0"});
  };
  add(1);
  add(2);
  read(alice, "2");
  give_up("1-0", "3");
  run({"XACK", key, "x", "1-0"});
  CAF_CHECK_EQUAL(broken(), "none");
  give_up("2-0", "2");
  CAF_CHECK_EQUAL(broken(), "given up early");
}

CAF_TEST(an event that was rejected may become a dead letter) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::rejected);
  run({"XADD", stream_key("s:dead:x"), "*", "n", "n", "p", "p", "x-id", "1-0",
       "x-deliveries", "1", "x-crashes", "0"});
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(a dead consumer has to go in the end) {
  add(1);
  read(bob);
  arrive(21, make(1));
  uut.deliveries.ends(21, make(1), ending::acknowledged);
  run({"XACK", key, "x", "1-0"});
  CAF_CHECK_EQUAL(uut.unfinished(), "");
  uut.deliveries.instance_ends(2);
  CAF_CHECK(uut.unfinished().find("dead consumer") != std::string::npos);
  run({"XGROUP", "DELCONSUMER", key, "x", bob});
  CAF_CHECK_EQUAL(uut.unfinished(), "");
  CAF_CHECK_EQUAL(broken(), "none");
}

CAF_TEST(a confirmed add is stored and an add has a reply) {
  uut.adds.begins("1/1", "s");
  CAF_CHECK(uut.adds.unfinished().find("no reply") != std::string::npos);
  add(1);
  uut.adds.succeeds("1/1", {1, 0});
  CAF_CHECK_EQUAL(uut.adds.unfinished(), "");
  uut.adds.judge();
  CAF_CHECK_EQUAL(broken(), "none");
  uut.adds.begins("1/2", "s");
  uut.adds.succeeds("1/2", {2, 0});
  CAF_CHECK_EQUAL(broken(), "add lost");
}

CAF_TEST(an add is stored once) {
  uut.adds.begins("1/1", "s");
  add(1);
  run({"XADD", key, "2-0", "n", "n", "p", "1/1"});
  uut.adds.succeeds("1/1", {1, 0});
  uut.adds.judge();
  CAF_CHECK_EQUAL(broken(), "stored twice");
}

CAF_TEST(an add that fails for sure is not stored) {
  for (auto why : {errc::connection_lost, errc::connect_failed}) {
    CAF_CHECK_EQUAL(broken(), "none");
    uut.adds.begins("1/1", "s");
    if (redis.find(key)->length() == 0)
      add(1);
    uut.adds.fails("1/1", why);
    uut.adds.judge();
  }
  CAF_CHECK_EQUAL(broken(), "add denied");
}

CAF_TEST(nobody waits for the adds of a dead producer) {
  uut.adds.begins("1/1", "s");
  uut.adds.begins("12/1", "s");
  uut.adds.gives_up("1/");
  CAF_CHECK(uut.adds.unfinished().find("12/1") != std::string::npos);
  uut.adds.gives_up("12/");
  CAF_CHECK_EQUAL(uut.adds.unfinished(), "");
}

CAF_TEST(a reader gets each event once and in order) {
  for (uint64_t n = 1; n <= 3; ++n)
    add(n);
  uut.readers.opens(5, {"s"});
  for (uint64_t n = 1; n <= 3; ++n) {
    CAF_CHECK(!uut.readers.unfinished().empty());
    uut.readers.arrives(5, "s", {n, 0});
  }
  CAF_CHECK_EQUAL(uut.readers.unfinished(), "");
  CAF_CHECK_EQUAL(broken(), "none");
  uut.readers.arrives(5, "s", {3, 0});
  CAF_CHECK_EQUAL(broken(), "read twice");
}

CAF_TEST(a reader has no holes) {
  for (uint64_t n = 1; n <= 2; ++n)
    add(n);
  uut.readers.opens(5, {"s"});
  uut.readers.arrives(5, "s", {2, 0});
  CAF_CHECK_EQUAL(broken(), "hole");
}

CAF_TEST(a request needs a reply) {
  uut.requests[1] = "the close of a sink";
  CAF_CHECK_EQUAL(uut.unfinished(), "the close of a sink has no reply");
}

CAF_TEST_FIXTURE_SCOPE_END()
