#pragma once

#include "pulse/core/names.hpp"

#include "simulation/checker/judge.hpp"

#include <string>

#include <caf/test/unit_test.hpp>

namespace pulse::simulation {

inline const std::string alice = "host.1.A";
inline const std::string bob = "host.2.B";

/// Two sinks of the name "x" on stream "s", and the rules that judge what the
/// test lets happen.
struct checker_fixture {
  checker_fixture() {
    using namespace std::chrono_literals;
    sink_rules rules;
    rules.lease = 1s;
    rules.ack_wait = 1s;
    rules.drain_timeout = 1s;
    rules.max_deliveries = 3;
    rules.max_crashes = 2;
    rules.max_in_flight = 2;
    rules.credit = 2;
    for (instance_id id : {1u, 2u})
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
  time_point now{std::chrono::hours{1}};
  redis_model redis;
  judge uut{now, redis};
};

} // namespace pulse::simulation
