#define CAF_SUITE integration.connection

#include "pulse/resp/script.hpp"

#include "support/connection_fixture.hpp"

#include <csignal>
#include <thread>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

using fixture = connection_fixture;

// Like `url`, with another user and password.
std::string with_credentials(std::string url, const std::string& text) {
  const auto start = url.find("://") + 3;
  if (const auto at = url.find('@'); at != std::string::npos)
    url.erase(start, at + 1 - start);
  return url.insert(start, text + "@");
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_tests, fixture)

// -- ways to get in -----------------------------------------------------------

CAF_TEST(it connects over Unix sockets and TCP and by name) {
  local_redis_options options;
  options.tcp = true;
  auto redis = start_redis(options);
  auto by_name = redis.tcp_url();
  by_name.replace(by_name.find("127.0.0.1"), 9, "localhost");
  auto resolved = redis.tcp_url();
  resolved.replace(resolved.find("127.0.0.1"), 9, "LOCALHOST");
  for (auto& url : {redis.url(), redis.tcp_url(), by_name, resolved}) {
    CAF_MESSAGE(url);
    auto uut = open(url);
    CAF_CHECK_EQUAL(info(uut).state, "idle");
    CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
    CAF_CHECK_EQUAL(info(uut).state, "ready");
    CAF_CHECK(info(uut).client_id > 0);
  }
}

CAF_TEST(the connection has a name) {
  auto redis = start_redis();
  redis_options options;
  options.url = redis.url();
  options.client_name = "tester";
  auto uut = open(options, {"sink orders", {}});
  const auto name = run(uut, command("CLIENT", "GETNAME"));
  CAF_CHECK_EQUAL(name.find("tester:sink_orders#"), 0u);
}

CAF_TEST(the database of the URL is selected) {
  auto redis = start_redis();
  auto uut = open(redis.url() + "?db=3");
  run(uut, command("SET", "k", "v"));
  CAF_CHECK(contains(run(uut, command("CLIENT", "INFO")), "db=3"));
  auto other = open(redis.url() + "?db=99");
  CAF_CHECK(contains(run(other, command("PING")), "SELECT 99"));
}

CAF_TEST(passwords and ACL users get in and wrong ones do not ) {
  local_redis_options options;
  options.password = "s3cret";
  options.config = {"user alice on >w0nder ~* +@all"};
  auto redis = start_redis(options);
  auto uut = open(redis.url());
  CAF_CHECK_EQUAL(run(uut, command("ACL", "WHOAMI")), "default");
  auto alice = open(with_credentials(redis.url(), "alice:w0nder"));
  CAF_CHECK_EQUAL(run(alice, command("ACL", "WHOAMI")), "alice");
  redis_options separate;
  separate.url = with_credentials(redis.url(), "alice:other");
  separate.password = "w0nder";
  CAF_CHECK_EQUAL(run(open(separate), command("ACL", "WHOAMI")), "alice");
  for (auto* text : {"alice:wr0ng", ":wr0ng", "bob:w0nder"}) {
    const stopwatch watch;
    auto failed = run(open(with_credentials(redis.url(), text)),
                      within(5min, command("PING")));
    CAF_CHECK(contains(failed, "auth_failed: unix://"));
    CAF_CHECK(contains(failed, "WRONGPASS"));
    CAF_CHECK(failed.find("wr0ng") == std::string::npos);
    CAF_CHECK(watch.elapsed() < 1min); // long before the deadline
  }
  CAF_CHECK(contains(logged(), "WRONGPASS"));
  for (auto* secret : {"s3cret", "w0nder", "wr0ng"})
    CAF_CHECK(logged().find(secret) == std::string::npos);
}

CAF_TEST(a missing password is told at once) {
  local_redis_options options;
  options.password = "s3cret";
  auto redis = start_redis(options);
  auto url = redis.url();
  url.erase(7, url.find('@') - 6);
  CAF_CHECK(contains(run(open(url), command("PING")), "auth_failed"));
}

CAF_TEST(a URL of something else is refused) {
  redis_options options;
  options.url = "http://127.0.0.1";
  auto x = spawn_connection(sys, options);
  CAF_REQUIRE(!x);
  CAF_CHECK(x.error() == errc::invalid_endpoint);
}

// -- commands and replies -----------------------------------------------------

CAF_TEST(a thousand pipelined commands are answered in order) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  std::vector<decltype(start(uut, nullptr))> open_requests;
  for (int i = 1; i <= 1'000; ++i)
    open_requests.push_back(start(uut, command("INCR", "n")));
  int expected = 0;
  for (auto& x : open_requests)
    CAF_REQUIRE_EQUAL(result_of(std::move(x)), std::to_string(++expected));
  CAF_CHECK_EQUAL(info(uut).connects, 1u);
  CAF_CHECK_EQUAL(info(uut).sent, 1'000u);
  CAF_CHECK_EQUAL(info(uut).replies, 1'000u);
}

CAF_TEST(a batch is answered when its last reply is in) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  auto batch = std::make_shared<command_batch>();
  for (int i = 0; i < 100; ++i)
    resp::write_command(batch->bytes, "INCR", "n");
  batch->count = 100;
  std::string expected = "1";
  for (int i = 2; i <= 100; ++i)
    expected += " " + std::to_string(i);
  CAF_CHECK_EQUAL(run(uut, batch), expected);
}

CAF_TEST(errors of Redis are replies) {
  local_redis_options options;
  options.config = {"maxmemory 100kb", "maxmemory-policy noeviction"};
  auto redis = start_redis(options);
  auto uut = open(redis.url());
  CAF_CHECK(contains(run(uut, command("NO", "SUCH")), "ERR unknown command"));
  CAF_CHECK_EQUAL(run(uut, command("SET", "k", "v")).substr(0, 4), "OOM ");
  CAF_CHECK_EQUAL(run(uut, command("CONFIG", "SET", "maxmemory", "0")), "OK");
  CAF_CHECK_EQUAL(run(uut, command("SET", "k", "v")), "OK");
  CAF_CHECK(contains(run(uut, command("XLEN", "k")), "WRONGTYPE"));
  run(uut, command("REPLICAOF", "127.0.0.1", "1"));
  CAF_CHECK(contains(run(uut, command("SET", "k", "v")), "READONLY"));
  CAF_CHECK_EQUAL(info(uut).connects, 1u);
}

CAF_TEST(large values go both ways) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  std::string value(20u << 20, 'x');
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>(i * 31);
  CAF_CHECK_EQUAL(run(uut, command("SET", "k", value)), "OK");
  CAF_CHECK(run(uut, command("GET", "k")) == value);
}

CAF_TEST(an unknown script is loaded on the fly) {
  static const resp::script forty_two{
    "forty-two", "return 42", "1fa00e76656cc152ad327c13fe365858fd7be306"};
  auto redis = start_redis();
  auto uut = open(redis.url());
  const auto call = changed(command("EVALSHA", forty_two.sha1, "0"),
                            [](auto& x) { x.lua = &forty_two; });
  CAF_CHECK_EQUAL(run(uut, call), "42");
  CAF_CHECK_EQUAL(run(uut, command("SCRIPT", "FLUSH")), "OK");
  CAF_CHECK_EQUAL(run(uut, call), "42");
  CAF_CHECK_EQUAL(run(uut, call), "42");
}

CAF_TEST(a blocked read is ended through another connection) {
  auto redis = start_redis();
  auto commands = open(redis.url());
  redis_options options;
  options.url = redis.url();
  auto uut = open(options, {"reader", commands});
  // Nothing is blocked yet.
  self->send(uut, atom::unblock_v);
  const stopwatch watch;
  auto read = start(uut, within(5min, command("XREAD", "BLOCK", "240000",
                                              "STREAMS", "s", "$")));
  while (!contains(run(commands, command("CLIENT", "LIST")), "cmd=xread"))
    std::this_thread::sleep_for(5ms);
  self->send(uut, atom::unblock_v);
  CAF_CHECK_EQUAL(result_of(std::move(read)), "nil");
  CAF_CHECK(watch.elapsed() < 2min); // long before it ends by itself
  CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
  CAF_CHECK_EQUAL(info(uut).connects, 1u);
}

// -- limits -------------------------------------------------------------------

CAF_TEST(commands beyond the limit are refused at once) {
  auto redis = start_redis();
  redis_options options;
  options.url = redis.url();
  options.max_queued = 10;
  auto uut = open(options);
  CAF_REQUIRE_EQUAL(run(uut, command("PING")), "PONG");
  ::kill(redis.pid(), SIGSTOP);
  std::vector<decltype(start(uut, nullptr))> waiting;
  for (int i = 0; i < 10; ++i)
    waiting.push_back(start(uut, command("PING")));
  CAF_CHECK(contains(run(uut, command("PING")), "overloaded: unix://"));
  ::kill(redis.pid(), SIGCONT);
  for (auto& x : waiting)
    CAF_CHECK_EQUAL(result_of(std::move(x)), "PONG");
  CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
}

CAF_TEST(a server that does not read leaves most commands here) {
  auto redis = start_redis();
  auto uut = open(redis.url());
  CAF_REQUIRE_EQUAL(run(uut, command("PING")), "PONG");
  ::kill(redis.pid(), SIGSTOP);
  const std::string value(1u << 20, 'x');
  std::vector<decltype(start(uut, nullptr))> waiting;
  for (int i = 0; i < 50; ++i)
    waiting.push_back(start(uut, within(2s, command("SET", "k", value))));
  int unsent = 0;
  for (auto& x : waiting)
    if (contains(result_of(std::move(x)), "not sent"))
      ++unsent;
  CAF_CHECK(unsent > 40);
  ::kill(redis.pid(), SIGCONT);
  CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
}

CAF_TEST_FIXTURE_SCOPE_END()
