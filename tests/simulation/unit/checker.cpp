#define CAF_SUITE simulation.checker

#include "simulation/unit/checker_fixture.hpp"

using namespace pulse;
using namespace pulse::simulation;
using namespace std::chrono_literals;

// Each rule about Redis, adds and readers is kept and broken by hand.

CAF_TEST_FIXTURE_SCOPE(checker_tests, checker_fixture)

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

CAF_TEST(a group that comes again too far behind is found) {
  add(1);
  read(alice);
  uut.groups.forget("s", "x");
  run({"XGROUP", "DESTROY", key, "x"});
  run({"XGROUP", "CREATE", key, "x", "$"});
  CAF_CHECK_EQUAL(broken(), "skipped");
}

CAF_TEST(an ack is confirmed when it is stored) {
  add(1);
  read(alice);
  arrive(11, make(1));
  uut.deliveries.ends(11, make(1), ending::acknowledged);
  uut.groups.confirm({"x", "s", {1, 0}});
  CAF_CHECK_EQUAL(broken(), "unconfirmed");
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
  const auto give_up = [this](const char* id, const char* failures) {
    run({"XADD", stream_key("s:dead:x"), "*", "n", "n", "p", "p", "x-id", id,
         "x-failures", failures, "x-crashes", "1"});
  };
  add(1);
  add(2);
  read(alice, "2");
  give_up("1-0", "2");
  run({"XACK", key, "x", "1-0"});
  CAF_CHECK_EQUAL(broken(), "none");
  give_up("2-0", "1");
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
