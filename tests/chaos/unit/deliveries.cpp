#define CAF_SUITE chaos.deliveries

#include "chaos/unit/synthetic_run.hpp"

using namespace pulse::chaos;

namespace {

struct fixture : synthetic_run {
  fixture() {
    add(10);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(deliveries_tests, fixture)

CAF_TEST(an event that no worker finished is lost) {
  CAF_CHECK(only(judged(), "lost"));
  start("audit-0", 20, 1, 0);
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(each sink is judged for itself) {
  handle("audit-0", 20, 1, 0);
  sink("billing-0", "billing keyed");
  groups += "group billing 0 through\n";
  CAF_CHECK(only(judged(), "lost"));
}

CAF_TEST(a dead letter is not lost) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "e");
  final += "dead audit " + label(0) + "\n";
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").dead_letters, 1u);
}

CAF_TEST(what failed is tried again and counted by its cause) {
  start("audit-0", 20, 1, 0);
  end("audit-0", 21, 1, "e");
  start("audit-0", 30, 1, 0, 2);
  end("audit-0", 31, 1, "c");
  start("audit-0", 35, 2, 0, 3);
  end("audit-0", 36, 2, "l");
  handle("audit-0", 38, 3, 0, 4);
  const auto x = judged();
  CAF_CHECK(x.good());
  const auto retries = x.sinks.at("audit").retries;
  CAF_CHECK_EQUAL(retries.at("nack"), 1u);
  CAF_CHECK_EQUAL(retries.at("worker crash"), 1u);
  CAF_CHECK_EQUAL(retries.at("worker quit"), 1u);
  CAF_CHECK_EQUAL(x.quit_to_redelivery.percentile(1), 2'000);
  CAF_CHECK_EQUAL(x.crash_to_redelivery.percentile(1), 4'000);
}

CAF_TEST(an event that runs again though it had succeeded is a duplicate) {
  handle("audit-0", 20, 1, 0);
  handle("audit-1", 1'500, 1, 0, 2);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
}

CAF_TEST(a fault at one of the holders explains a duplicate) {
  handle("audit-0", 20, 1, 0);
  handle("audit-1", 1'500, 1, 0, 2);
  fault(21, 21, "kill", "audit-0");
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").duplicates.at("kill"), 1u);
}

CAF_TEST(a repetition that fails is tried again) {
  handle("audit-0", 20, 1, 0);
  start("audit-1", 1'500, 1, 0, 2);
  end("audit-1", 1'501, 1, "e");
  handle("audit-1", 20'000, 1, 0, 3);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
  fault(21, 21, "kill", "audit-0");
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").duplicates.at("kill"), 1u);
  CAF_CHECK_EQUAL(x.sinks.at("audit").retries.at("nack"), 1u);
}

CAF_TEST(a fault elsewhere or too early explains nothing) {
  sink("audit-2", "audit balanced");
  handle("audit-0", 20'000, 1, 0);
  handle("audit-1", 21'500, 1, 0, 2);
  fault(20'001, 20'001, "kill", "audit-2");
  fault(1'000, 2'000, "stop", "audit-0");
  CAF_CHECK(only(judged(), "duplicate without a fault"));
}

CAF_TEST(a fault explains more while Redis is away) {
  handle("audit-0", 20, 1, 0);
  fault(25, 400, "kill", "audit-0");
  handle("audit-1", 29'000, 1, 0, 2);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
  fault(500, 25'000, "outage", "*");
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").duplicates.at("kill"), 1u);
}

CAF_TEST(a deleted group explains repetitions until the sink has caught up) {
  settings += "keys 1\n";
  handle("audit-0", 20, 1, 0);
  fault(25, 30, "group-destroy", "audit", "1");
  add(100);
  handle("audit-1", 60'000, 1, 0, 2);
  handle("audit-1", 60'001, 1, 1);
  CAF_CHECK(judged().good());
  add(101);
  handle("audit-0", 200, 1, 2);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
}

CAF_TEST(two live holders at a time are found) {
  start("audit-0", 20, 1, 0);
  start("audit-1", 30, 1, 0, 2);
  end("audit-0", 40, 1);
  end("audit-1", 50, 1);
  CAF_CHECK(only(judged(), "two live holders"));
}

CAF_TEST(a holder that was cut off may hold in vain) {
  start("audit-0", 20, 1, 0);
  start("audit-1", 1'400, 1, 0, 2);
  end("audit-1", 1'450, 1);
  end("audit-0", 2'500, 1);
  fault(30, 2'000, "stop", "audit-0");
  CAF_CHECK(judged().good());
}

CAF_TEST(a worker that works for longer than ack_wait loses its event) {
  start("audit-0", 20, 1, 0);
  handle("audit-0", 2'030, 2, 0, 2);
  end("audit-0", 2'500, 1);
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").retries.at("ack_wait"), 1u);
}

CAF_TEST(the events of a dead member stay with it for its own lease) {
  sink("audit-2", "audit balanced 100 9000");
  start("audit-2", 20, 1, 0);
  fault(25, 400, "kill", "audit-2");
  handle("audit-1", 2'500, 1, 0, 2);
  CAF_CHECK(only(judged(), "lease broken"));
  // Another fault may be the cause.
  fault(30, 100, "hole", "audit-2");
  CAF_CHECK(judged().good());
}

CAF_TEST(the lease of a member says how long a fault explains duplicates) {
  handle("audit-0", 20, 1, 0);
  fault(21, 400, "kill", "audit-0");
  handle("audit-1", 9'000, 1, 0, 2);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
  nodes["audit-0"].clear();
  sink("audit-0", "audit balanced 100 3000");
  handle("audit-0", 20, 1, 0);
  CAF_CHECK(judged().good());
}

CAF_TEST(blocked threads explain no duplicate) {
  handle("audit-0", 20, 1, 0);
  line(nodes["audit-0"], 25, "z 3000");
  handle("audit-1", 1'500, 1, 0, 2);
  const auto x = judged();
  CAF_CHECK(only(x, "duplicate without a fault"));
  CAF_CHECK_EQUAL(x.faults.at("starve"), 1u);
}

CAF_TEST(a right that is missing delays acks) {
  handle("audit-0", 20, 1, 0);
  handle("audit-1", 4'500, 1, 0, 2);
  CAF_CHECK(only(judged(), "duplicate without a fault"));
  fault(15, 200, "deny", "*");
  CAF_CHECK(only(judged(), "duplicate without a fault"));
  fault(15, 3'000, "deny", "*");
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").duplicates.at("deny"), 1u);
}

CAF_TEST(the time from a kill to the next delivery is measured) {
  start("audit-0", 20, 1, 0);
  fault(25, 400, "kill", "audit-0");
  handle("audit-1", 1'225, 1, 0, 2);
  const auto x = judged();
  CAF_CHECK(x.good());
  CAF_CHECK_EQUAL(x.sinks.at("audit").retries.at("node kill"), 1u);
  CAF_CHECK_EQUAL(x.kill_to_redelivery.percentile(1), 1'200'000);
}

CAF_TEST(a redelivery that takes longer than promised is too slow) {
  start("audit-0", 20, 1, 0);
  fault(25, 400, "kill", "audit-0");
  handle("audit-1", 2'600, 1, 0, 2);
  CAF_CHECK(judged().good());
  settings += "judge_times 1\n";
  CAF_CHECK(only(judged(), "too slow"));
}

CAF_TEST(a flushed script cache explains nothing) {
  handle("audit-0", 20, 1, 0);
  handle("audit-1", 1'500, 1, 0, 2);
  fault(21, 21, "script-flush", "*");
  CAF_CHECK(only(judged(), "duplicate without a fault"));
}

CAF_TEST(half a line of a process that was killed is no fact) {
  handle("audit-0", 20, 1, 0);
  nodes["audit-0"] += "30000 s 1 p.1:0 1-";
  CAF_CHECK(judged().good());
}

CAF_TEST_FIXTURE_SCOPE_END()
