#define CAF_SUITE integration.connection_sockets

// Sockets are opened and closed; none may be left open. The tests count them in
// /proc/self/fd.

#include "support/connection_fixture.hpp"
#include "support/open_files.hpp"
#include "support/raw_client.hpp"
#include "support/tiny_server.hpp"

#include <csignal>
#include <thread>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

using client = tiny_server::client;

struct fixture : connection_fixture {
  /// Options for many attempts in a short time.
  static redis_options hasty(const std::string& url) {
    redis_options result;
    result.url = url;
    result.reconnect_first = 1ms;
    result.reconnect_last = 2ms;
    result.connect_timeout = 20ms;
    return result;
  }

  /// Lets a connection try to connect `n` times, then closes it.
  void connect_often(const redis_options& options, uint64_t n) {
    auto uut = open(options);
    auto waiting = start(uut, within(30s, command("PING")));
    CAF_CHECK(eventually([&] { return info(uut).failures >= n; }));
    self->send(uut, caf::close_atom_v);
    CAF_CHECK(contains(result_of(std::move(waiting)), "closed: "));
    self->wait_for(uut);
  }

  void check_files(size_t before) {
    CAF_CHECK(eventually([&] { return count_open_files() <= before; }, 10s));
    const auto after = count_open_files();
    CAF_CHECK(after <= before);
    CAF_MESSAGE(before << " open files before, " << after << " after");
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_sockets_tests, fixture)

CAF_TEST(a server that closes at once leaves no sockets behind) {
  tiny_server server{[](const client&) {}};
  const auto before = count_open_files();
  connect_often(hasty(server.url()), 300);
  check_files(before);
}

CAF_TEST(refused attempts leave no sockets behind) {
  const auto before = count_open_files();
  connect_often(hasty("redis://127.0.0.1:1"), 300);
  connect_often(hasty("unix:///no/such/socket"), 300);
  check_files(before);
}

CAF_TEST(a server that never answers leaves no sockets behind) {
  tiny_server server{[](const client& x) { x.wait(); }};
  const auto before = count_open_files();
  auto options = hasty(server.url());
  options.connect_timeout = 2ms;
  connect_often(options, 100);
  check_files(before);
}

CAF_TEST(attempts that never get through leave no sockets behind) {
  const full_server server;
  const auto before = count_open_files();
  auto options = hasty(server.url());
  options.connect_timeout = 2ms;
  connect_often(options, 100);
  check_files(before);
}

CAF_TEST(a connection that breaks in every word leaves no sockets behind) {
  tiny_server server{[](const client& x) {
    x.welcome();
    x.read_until("\r\n");
    x.say("$3\r\nabcXY");
  }};
  const auto before = count_open_files();
  auto uut = open(hasty(server.url()));
  for (int i = 0; i < 300; ++i)
    CAF_CHECK(contains(run(uut, command("PING")), "protocol_error"));
  check_files(before + 1);
}

CAF_TEST(killed clients leave no sockets behind) {
  auto redis = start_redis();
  auto admin = open(redis.url());
  auto uut = open(hasty(redis.url()));
  CAF_CHECK_EQUAL(run(admin, command("PING")), "PONG");
  CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
  const auto before = count_open_files();
  for (int i = 0; i < 300; ++i) {
    const auto id = std::to_string(info(uut).client_id);
    run(admin, command("CLIENT", "KILL", "ID", id));
    CAF_CHECK_EQUAL(run(uut, within(20s, repeatable(command("PING")))), "PONG");
  }
  check_files(before);
}

CAF_TEST(connections closed while they connect leave no sockets behind) {
  tiny_server silent{[](const client& x) { x.wait(); }};
  const full_server full;
  auto redis = start_redis();
  const auto before = count_open_files();
  for (int i = 0; i < 100; ++i) {
    std::vector<connection_actor> all;
    for (auto& url : {silent.url(), full.url(), redis.url(),
                      std::string{"redis://127.0.0.1:1"}})
      all.push_back(open(hasty(url)));
    for (auto& x : all)
      self->send(x, atom::run_v, command("PING"));
    // Some of them before, some of them after their sockets are there.
    std::this_thread::sleep_for(i % 4 * 50us);
    for (auto& x : all)
      self->send(x, caf::close_atom_v);
    for (auto& x : all)
      self->wait_for(x);
  }
  check_files(before);
}

CAF_TEST(attempts given up in the turn they began in leave no sockets behind) {
  tiny_server server{[](const client& x) { x.wait(); }};
  const auto before = count_open_files();
  auto options = hasty(server.url());
  options.connect_timeout = 0ms;
  std::vector<connection_actor> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(open(options));
    self->send(all.back(), atom::run_v, within(30s, command("PING")));
  }
  for (auto& x : all)
    CAF_CHECK(eventually([&] { return info(x).failures >= 300; }));
  for (auto& x : all)
    self->send(x, caf::close_atom_v);
  for (auto& x : all)
    self->wait_for(x);
  check_files(before);
}

CAF_TEST(one that ends with bytes unsent leaves no socket behind) {
  auto redis = start_redis();
  const auto before = count_open_files();
  for (int i = 0; i < 10; ++i) {
    auto uut = open(redis.url());
    CAF_REQUIRE_EQUAL(run(uut, command("PING")), "PONG");
    ::kill(redis.pid(), SIGSTOP);
    for (int j = 0; j < 3; ++j)
      self->send(uut, atom::run_v,
                 command("SET", "k", std::string(8u << 20, 'x')));
    CAF_REQUIRE_EQUAL(info(uut).state, "ready");
    self->send(uut, caf::close_atom_v);
    self->wait_for(uut);
    ::kill(redis.pid(), SIGCONT);
  }
  check_files(before);
}

CAF_TEST_FIXTURE_SCOPE_END()
