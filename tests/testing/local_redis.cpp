#define CAF_SUITE testing.local_redis

#include "pulse/testing/demo_redis.hpp"

#include "common/process/spawn.hpp"
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Runs one command and shows its reply as text.
std::string run(redisContext* connection, const std::string& command) {
  std::unique_ptr<redisContext, void (*)(redisContext*)> guard{connection,
                                                               redisFree};
  if (connection == nullptr || connection->err != 0)
    return "not connected";
  auto* reply
    = static_cast<redisReply*>(redisCommand(connection, command.c_str()));
  if (reply == nullptr)
    return "no reply";
  std::string result = reply->str != nullptr ? reply->str
                                             : std::to_string(reply->integer);
  freeReplyObject(reply);
  return result;
}

std::string run(const local_redis& server, const std::string& command) {
  return run(redisConnectUnix(server.socket_path().c_str()), command);
}

template <class Predicate>
bool eventually(std::chrono::milliseconds limit, Predicate pred) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!pred()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool is_running(pid_t pid) {
  return kill(pid, 0) == 0;
}

fs::path directory_of(const local_redis& server) {
  return fs::path{server.socket_path()}.parent_path();
}

local_redis start(const local_redis_options& options = {}) {
  auto result = local_redis::start(options);
  if (!result)
    CAF_FAIL(result.error().what);
  return std::move(*result);
}

// Another process that owns a server; see redis_owner.cpp.
struct owner {
  pid_t pid = 0;
  pid_t server = 0;
  std::string socket;

  owner() {
    int ends[2];
    CAF_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    apps::inheritance from_us;
    from_us.output = ends[1];
    from_us.parent_death_signal = SIGKILL;
    CAF_REQUIRE_EQUAL(
      apps::spawn_program({PULSE_REDIS_OWNER}, {}, from_us, pid), 0);
    close(ends[1]);
    auto* in = fdopen(ends[0], "r");
    char buf[128] = "";
    CAF_CHECK_EQUAL(fscanf(in, "%d %127s", &server, buf), 2);
    fclose(in);
    socket = buf;
  }

  void end(int signal) {
    kill(pid, signal);
    waitpid(pid, nullptr, 0);
  }
};

} // namespace

CAF_TEST(a started server answers and its process is named) {
  auto server = start();
  CAF_CHECK_EQUAL(run(server, "PING"), "PONG");
  CAF_CHECK(is_running(server.pid()));
  CAF_CHECK_EQUAL(server.url(), "unix://" + server.socket_path());
}

CAF_TEST(the server and its directory go with the object) {
  pid_t pid = 0;
  fs::path directory;
  {
    auto server = start();
    pid = server.pid();
    directory = directory_of(server);
    CAF_CHECK(fs::exists(directory));
  }
  CAF_CHECK(!is_running(pid));
  CAF_CHECK(!fs::exists(directory));
}

CAF_TEST(moving an object into another one ends the server of the latter) {
  auto one = start();
  auto two = start();
  const auto pid = one.pid();
  const auto kept = two.pid();
  one = std::move(two);
  CAF_CHECK(!is_running(pid));
  CAF_CHECK(is_running(kept));
  CAF_CHECK_EQUAL(one.pid(), kept);
}

CAF_TEST(a killed process leaves neither server nor directory behind) {
  for (auto signal : {SIGKILL, SIGTERM}) {
    owner other;
    CAF_REQUIRE(is_running(other.server));
    CAF_CHECK(fs::exists(other.socket));
    other.end(signal);
    CAF_CHECK(eventually(2s, [&] { return !is_running(other.server); }));
    CAF_CHECK(eventually(2s, [&] {
      return !fs::exists(fs::path{other.socket}.parent_path());
    }));
  }
}

CAF_TEST(the directory goes even if the server had ended before) {
  owner other;
  kill(other.server, SIGKILL);
  other.end(SIGKILL);
  CAF_CHECK(eventually(2s, [&] {
    return !fs::exists(fs::path{other.socket}.parent_path());
  }));
}

CAF_TEST(the server is in a process group of its own) {
  auto server = start();
  CAF_CHECK(getpgid(server.pid()) != getpgid(0));
}

CAF_TEST(the server inherits no file of this process) {
  const int fd = open("/dev/null", O_RDONLY);
  CAF_REQUIRE(fcntl(fd, F_DUPFD, 500) == 500);
  auto server = start();
  const auto open_files = "/proc/" + std::to_string(server.pid()) + "/fd/500";
  CAF_CHECK(!fs::exists(fs::symlink_status(open_files)));
  close(500);
  close(fd);
}

CAF_TEST(a stopped server with an append only file keeps its data) {
  auto server = start({true, false, "", {"appendfsync always"}, 10s});
  CAF_CHECK_EQUAL(run(server, "SET key value"), "OK");
  const auto pid = server.pid();
  server.stop();
  CAF_CHECK_EQUAL(server.pid(), 0);
  CAF_CHECK(!is_running(pid));
  CAF_CHECK_EQUAL(run(server, "PING"), "not connected");
  CAF_REQUIRE(server.restart().ok());
  CAF_CHECK(server.pid() != pid);
  CAF_CHECK_EQUAL(run(server, "GET key"), "value");
}

CAF_TEST(a crashed server with an append only file keeps its data) {
  auto server = start({true, false, "", {"appendfsync always"}, 10s});
  CAF_CHECK_EQUAL(run(server, "SET key value"), "OK");
  server.crash();
  CAF_CHECK_EQUAL(run(server, "PING"), "not connected");
  CAF_REQUIRE(server.restart().ok());
  CAF_CHECK_EQUAL(run(server, "GET key"), "value");
}

CAF_TEST(a suspended server can be stopped) {
  auto server = start();
  const auto pid = server.pid();
  kill(pid, SIGSTOP);
  server.stop();
  CAF_CHECK(!is_running(pid));
  CAF_CHECK(server.restart().ok());
}

CAF_TEST(a server that somebody else killed can be started again) {
  auto server = start();
  kill(server.pid(), SIGKILL);
  CAF_CHECK(
    eventually(2s, [&] { return run(server, "PING") == "not connected"; }));
  CAF_REQUIRE(server.restart().ok());
  CAF_CHECK_EQUAL(run(server, "PING"), "PONG");
}

CAF_TEST(a TCP server listens on the loopback only and keeps its port) {
  local_redis_options options;
  options.tcp = true;
  auto server = start(options);
  const auto url = server.tcp_url();
  const std::string prefix = "redis://127.0.0.1:";
  CAF_REQUIRE(url.compare(0, prefix.size(), prefix) == 0);
  const int port = std::stoi(url.substr(prefix.size()));
  auto ping = [&](const char* host) {
    return run(redisConnectWithTimeout(host, port, timeval{1, 0}), "PING");
  };
  CAF_CHECK_EQUAL(ping("127.0.0.1"), "PONG");
  CAF_CHECK_EQUAL(ping("127.0.0.2"), "not connected");
  server.crash();
  CAF_REQUIRE(server.restart().ok());
  CAF_CHECK_EQUAL(server.tcp_url(), url);
  CAF_CHECK_EQUAL(ping("127.0.0.1"), "PONG");
}

CAF_TEST(a password of any characters is asked for and in the URL) {
  local_redis_options options;
  options.password = "p@ss:/\"\\ \n%";
  auto server = start(options);
  CAF_CHECK_EQUAL(run(server, "PING"), "NOAUTH Authentication required.");
  CAF_CHECK_EQUAL(server.url(), "unix://:p%40ss%3A%2F%22%5C%20%0A%25@"
                                  + server.socket_path());
}

CAF_TEST(more lines for the configuration file take effect) {
  local_redis_options options;
  options.config = {"maxmemory 7mb", "maxmemory-policy noeviction"};
  auto server = start(options);
  CAF_CHECK(run(server, "INFO memory").find("maxmemory:7340032")
            != std::string::npos);
}

CAF_TEST(a bad line for the configuration file fails at once with the reason) {
  local_redis_options options;
  options.config = {"no-such-directive yes"};
  options.start_timeout = std::chrono::minutes{5};
  const auto begin = std::chrono::steady_clock::now();
  auto server = local_redis::start(options);
  CAF_CHECK(std::chrono::steady_clock::now() - begin < 1min);
  CAF_REQUIRE(!server.ok());
  CAF_CHECK(server.error().code == errc::connect_failed);
  CAF_CHECK(server.error().what.find("no-such-directive") != std::string::npos);
}

CAF_TEST(many threads may start servers at the same time) {
  std::vector<std::thread> threads;
  std::array<std::string, 4> answers;
  for (auto& answer : answers)
    threads.emplace_back([&answer] {
      auto server = local_redis::start();
      answer = server ? run(*server, "PING") : server.error().what;
    });
  for (auto& x : threads)
    x.join();
  for (auto& x : answers)
    CAF_CHECK_EQUAL(x, "PONG");
}

CAF_TEST(a missing program is named with the way to get it) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  auto server = local_redis::start();
  setenv("PATH", path.c_str(), 1);
  CAF_REQUIRE(!server.ok());
  CAF_CHECK(server.error().code == errc::connect_failed);
  CAF_CHECK_EQUAL(server.error().what, "redis-server is not installed: "
                                       "apt-get install redis-server");
}

CAF_TEST(a given URL is used instead of a private server) {
  setenv("PULSE_REDIS_URL", "redis://example:1", 1);
  auto given = find_or_start_redis();
  unsetenv("PULSE_REDIS_URL");
  CAF_REQUIRE(given.ok());
  CAF_CHECK_EQUAL(given->url, "redis://example:1");
  CAF_CHECK(given->server == nullptr);
  auto started = find_or_start_redis();
  CAF_REQUIRE(started.ok());
  CAF_REQUIRE(started->server != nullptr);
  CAF_CHECK_EQUAL(started->url, started->server->url());
  CAF_CHECK_EQUAL(run(*started->server, "PING"), "PONG");
}
