#define CAF_SUITE integration.connection_faults

// Connections to a Redis that stops, comes back or does not answer; and the end
// of connections.

#include <caf/actor_registry.hpp>

#include "support/connection_fixture.hpp"
#include "support/durable_redis.hpp"

#include <csignal>
#include <thread>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(connection_faults_tests, connection_fixture)

// -- faults -------------------------------------------------------------------

CAF_TEST(without a server a command fails at its deadline with the reason) {
  const stopwatch watch;
  auto uut = open("redis://127.0.0.1:1");
  const auto failed = run(uut, within(2s, command("PING")));
  CAF_CHECK(contains(failed, "connect_failed: redis://127.0.0.1:1/0"));
  // The kernel refuses the connection either at once or by a later event.
  CAF_CHECK(contains(failed, "refused"));
  CAF_CHECK(watch.elapsed() >= 2s);
  CAF_CHECK_EQUAL(info(uut).queued, 0u);
  const auto missing = run(open("unix:///no/such/socket"),
                           within(2s, command("PING")));
  CAF_CHECK(contains(missing, "No such file"));
}

CAF_TEST(commands wait for a server that comes back) {
  auto redis = start_redis(durable_redis());
  auto uut = open(redis.url());
  CAF_REQUIRE_EQUAL(run(uut, command("SET", "k", "v")), "OK");
  redis.stop();
  auto first = start(uut, within(20s, command("GET", "k")));
  auto second = start(uut, within(20s, command("INCR", "n")));
  std::this_thread::sleep_for(300ms);
  CAF_REQUIRE(redis.restart().ok());
  CAF_CHECK_EQUAL(result_of(std::move(first)), "v");
  CAF_CHECK_EQUAL(result_of(std::move(second)), "1");
  CAF_CHECK_EQUAL(info(uut).connects, 2u);
}

CAF_TEST(a killed server fails what was sent unless it may be repeated) {
  auto redis = start_redis(durable_redis());
  auto uut = open(redis.url());
  CAF_REQUIRE_EQUAL(run(uut, command("SET", "k", "v")), "OK");
  ::kill(redis.pid(), SIGSTOP);
  auto once = start(uut, within(20s, command("INCR", "n")));
  auto again = start(uut, within(20s, repeatable(command("GET", "k"))));
  while (info(uut).sent < 3)
    std::this_thread::sleep_for(1ms);
  redis.crash();
  CAF_CHECK(contains(result_of(std::move(once)), "connection_lost: unix://"));
  CAF_REQUIRE(redis.restart().ok());
  CAF_CHECK_EQUAL(result_of(std::move(again)), "v");
}

CAF_TEST(a client that is killed connects again) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  auto admin = open(redis.url());
  for (int i = 0; i < 3; ++i) {
    CAF_REQUIRE_EQUAL(run(uut, within(20s, repeatable(command("PING")))),
                      "PONG");
    const auto id = std::to_string(info(uut).client_id);
    CAF_CHECK_EQUAL(run(admin, command("CLIENT", "KILL", "ID", id)), "1");
  }
  CAF_CHECK_EQUAL(run(uut, within(20s, repeatable(command("PING")))), "PONG");
}

CAF_TEST(a command without a reply in time replaces the connection) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  CAF_REQUIRE_EQUAL(run(uut, command("PING")), "PONG");
  ::kill(redis.pid(), SIGSTOP);
  const stopwatch watch;
  CAF_CHECK(
    contains(run(uut, within(200ms, command("PING"))), "timed_out: unix://"));
  CAF_CHECK(watch.elapsed() >= 200ms);
  ::kill(redis.pid(), SIGCONT);
  CAF_CHECK_EQUAL(run(uut, within(20s, command("PING"))), "PONG");
  CAF_CHECK_EQUAL(info(uut).connects, 2u);
}

// -- the end ------------------------------------------------------------------

CAF_TEST(close fails what waits and what comes) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  CAF_REQUIRE_EQUAL(run(uut, command("PING")), "PONG");
  ::kill(redis.pid(), SIGSTOP);
  auto waiting = start(uut, command("PING"));
  self->send(uut, caf::close_atom_v);
  auto late = start(uut, command("PING"));
  CAF_CHECK(contains(result_of(std::move(waiting)), "closed: "));
  CAF_CHECK(contains(result_of(std::move(late)), "closed: "));
  self->wait_for(uut);
  CAF_CHECK(contains(run(uut, command("PING")), "closed: "));
  ::kill(redis.pid(), SIGCONT);
}

CAF_TEST(an exit message ends it as well) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  auto waiting = start(uut, within(20s, command("XREAD", "BLOCK", "0",
                                                "STREAMS", "s", "$")));
  self->send_exit(uut, caf::exit_reason::user_shutdown);
  CAF_CHECK(contains(result_of(std::move(waiting)), "closed: "));
  self->wait_for(uut);
  auto killed = open(redis.url());
  CAF_REQUIRE_EQUAL(run(killed, command("PING")), "PONG");
  self->send_exit(killed, caf::exit_reason::kill);
  self->wait_for(killed);
}

CAF_TEST(opening and closing in a row leaks neither sockets nor actors) {
  auto redis = start_redis();
  auto admin = open(redis.url());
  const auto actors_before = sys.registry().running();
  for (int i = 0; i < 50; ++i) {
    redis_options options;
    options.url = redis.url();
    auto x = spawn_connection(sys, options);
    CAF_REQUIRE(x);
    auto waiting = start(*x, command("PING"));
    self->send(*x, caf::close_atom_v);
    const auto result = result_of(std::move(waiting));
    CAF_CHECK(result == "PONG" || contains(result, "closed: "));
    self->wait_for(*x);
  }
  CAF_CHECK_EQUAL(sys.registry().running(), actors_before);
  // Redis reports which client is left: the admin.
  for (int i = 0; i < 200; ++i) {
    if (contains(run(admin, command("INFO", "clients")),
                 "connected_clients:1\r\n"))
      return;
    std::this_thread::sleep_for(10ms);
  }
  CAF_FAIL("sockets are left open");
}

CAF_TEST(one that was never used ends with its last handle) {
  const auto actors_before = sys.registry().running();
  {
    redis_options options;
    auto x = spawn_connection(sys, options);
    CAF_REQUIRE(x);
    CAF_CHECK_EQUAL(sys.registry().running(), actors_before + 1);
  }
  for (int i = 0; i < 200 && sys.registry().running() > actors_before; ++i)
    std::this_thread::sleep_for(10ms);
  CAF_CHECK_EQUAL(sys.registry().running(), actors_before);
}

CAF_TEST_FIXTURE_SCOPE_END()
