#pragma once

#include "pulse/all.hpp"
#include "pulse/testing/local_redis.hpp"

#include <caf/actor_system.hpp>

#include "support/raw_client.hpp"

#include <memory>
#include <string>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// One node: an actor system with the library connected to a server.
struct node {
  pulse::config cfg;
  std::unique_ptr<caf::actor_system> sys;
  std::unique_ptr<pulse::system> pulse;

  explicit node(const std::string& url) {
    cfg.set(PULSE_CAF_OPTION("scheduler.max-threads"), size_t{2});
    sys = std::make_unique<caf::actor_system>(cfg);
    auto connected = pulse::system::connect(*sys, url);
    if (!connected)
      CAF_FAIL("cannot connect: " << describe(connected.error()));
    pulse = std::make_unique<pulse::system>(std::move(*connected));
  }
};

/// A private Redis and a node connected to it.
struct redis_fixture {
  local_redis server;
  raw_client raw;
  node here;
  caf::actor_system& sys = *here.sys;
  pulse::system& ps = *here.pulse;

  explicit redis_fixture(const local_redis_options& options = {})
    : server(start(options)), raw(server), here(server.url()) {
    // nop
  }

  static local_redis start(const local_redis_options& options) {
    auto result = local_redis::start(options);
    if (!result)
      CAF_FAIL("cannot start redis-server: " << to_string(result.error()));
    return std::move(*result);
  }

  /// @returns the value; without a value, fails the test with the reason.
  template <class T>
  static T must(caf::expected<T> x) {
    if (!x)
      CAF_FAIL(describe(x.error()));
    if constexpr (!std::is_void_v<T>)
      return std::move(*x);
  }

  /// Waits until a client waits in a blocking read.
  bool read_is_blocked() {
    return eventually([this] {
      return raw({"INFO", "clients"}).find("blocked_clients:0")
             == std::string::npos;
    });
  }

  /// Number of blocking reads that a client has ended so far.
  int64_t unblocks() {
    const std::string key = "cmdstat_client|unblock:calls=";
    const auto stats = raw({"INFO", "commandstats"});
    const auto at = stats.find(key);
    return at == std::string::npos ? 0 : std::atoll(&stats[at + key.size()]);
  }

  /// Adds events with the payloads "0", "1", … to a stream.
  void add_numbers(const std::string& stream, int n, int from = 0) {
    std::vector<new_event> events;
    for (int i = from; i < from + n; ++i)
      events.push_back({"number", std::to_string(i), {}});
    for (auto& x : must(must(ps.stream(stream)).add(std::move(events))))
      CAF_REQUIRE(x.code == errc::none);
  }
};

} // namespace pulse::test
