#define CAF_SUITE integration.tls

// rediss:// against a redis-server with certificates of a test authority.

#include "support/connection_fixture.hpp"
#include "support/recorder.hpp"
#include "support/redis_fixture.hpp"
#include "support/test_ca.hpp"
#include "support/tiny_server.hpp"
#include <sys/stat.h>

using namespace pulse;
using namespace pulse::test;
using namespace std::chrono_literals;

namespace {

struct fixture : connection_fixture {
  test_ca ca;
  test_ca::certificate own = ca.issue("server", "DNS:localhost,IP:127.0.0.1");

  [[nodiscard]] redis_options trusting(const std::string& url) const {
    redis_options result;
    result.url = url;
    result.tls_ca_file = ca.ca_file();
    result.reconnect_first = 10ms;
    result.reconnect_last = 50ms;
    return result;
  }

  /// The answer to PING, or why there is none.
  std::string ping(const redis_options& options) {
    auto uut = open(options);
    auto result = run(uut, command("PING"));
    self->send(uut, caf::close_atom_v);
    return result;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tls_tests, fixture)

// -- it works -----------------------------------------------------------------

CAF_TEST(commands and large values go both ways) {
  const tls_redis redis{ca, own};
  for (auto& host : {"localhost", "127.0.0.1"}) {
    auto uut = open(trusting(redis.url(host)));
    CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
    CAF_CHECK(info(uut).client_id > 0);
    std::string value(5u << 20, 'x');
    for (size_t i = 0; i < value.size(); ++i)
      value[i] = static_cast<char>(i * 31);
    CAF_CHECK_EQUAL(run(uut, command("SET", "k", value)), "OK");
    CAF_CHECK(run(uut, command("GET", "k")) == value);
    std::vector<decltype(start(uut, nullptr))> waiting;
    for (int i = 0; i < 1'000; ++i)
      waiting.push_back(start(uut, command("ECHO", std::to_string(i))));
    int expected = 0;
    for (auto& x : waiting)
      CAF_REQUIRE_EQUAL(result_of(std::move(x)), std::to_string(expected++));
    CAF_CHECK_EQUAL(info(uut).connects, 1u);
  }
}

CAF_TEST(both versions of TLS are spoken with and without client certificates) {
  const auto client = ca.issue("client");
  for (auto* version : {"TLSv1.2", "TLSv1.3"}) {
    CAF_MESSAGE(version);
    const tls_redis redis{ca,
                          own,
                          {"tls-auth-clients yes",
                           std::string{"tls-protocols "} + version}};
    auto options = trusting(redis.url());
    const auto anonymous = ping(options);
    CAF_CHECK(contains(anonymous, "asks for a client certificate"));
    CAF_CHECK(contains(anonymous, "tls_cert_file"));
    options.tls_cert_file = client.cert_file;
    options.tls_key_file = client.key_file;
    CAF_CHECK_EQUAL(ping(options), "PONG");
  }
}

CAF_TEST(streams and sinks and readers lose nothing over TLS) {
  tls_redis redis{ca, own, {"tls-auth-clients no", "appendonly yes"}};
  raw_client raw{redis.server};
  recorder worked;
  recorder read;
  pulse::config settings;
  caf::actor_system here{settings};
  auto ps
    = redis_fixture::must(pulse::system::connect(here, trusting(redis.url())));
  sink_options how;
  how.name = "billing";
  how.streams = {"orders"};
  auto sink = redis_fixture::must(ps.sink(how));
  reader_options also;
  also.streams = {"orders"};
  auto reader = redis_fixture::must(ps.reader(also));
  auto worker = spawn_worker(here, worked);
  auto subscriber = spawn_worker(here, read);
  redis_fixture::must(sink.subscribe(worker));
  redis_fixture::must(reader.subscribe(subscriber));
  auto orders = redis_fixture::must(ps.stream("orders"));
  for (int i = 0; i < 200; ++i) {
    if (i % 50 == 25)
      raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    CAF_REQUIRE(
      eventually([&] { return bool{orders.add("n", std::to_string(i))}; }));
  }
  CAF_CHECK(worked.wait_for_distinct(200));
  CAF_CHECK(read.wait_for_distinct(200));
  stop(worker);
  stop(subscriber);
}

// -- it refuses ---------------------------------------------------------------

CAF_TEST(a server of another name is refused) {
  const auto named = ca.issue("named", "DNS:redis.example");
  const tls_redis redis{ca, named};
  for (auto& host : {"localhost", "127.0.0.1"}) {
    auto options = trusting(redis.url(host));
    const auto why = ping(options);
    CAF_CHECK(contains(why, "tls_failed: rediss://" + std::string{host}));
    CAF_CHECK(contains(why, "is not for \"" + std::string{host} + "\""));
    CAF_CHECK(contains(why, "tls_server_name"));
    options.tls_server_name = "redis.example";
    CAF_CHECK_EQUAL(ping(options), "PONG");
  }
}

CAF_TEST(a server of an unknown authority is refused) {
  const tls_redis redis{ca, own};
  const test_ca other;
  for (auto& file : {other.ca_file(), std::string{}}) {
    auto options = trusting(redis.url());
    options.tls_ca_file = file;
    const auto why = ping(options);
    CAF_CHECK(contains(why, "tls_failed: rediss://localhost"));
    CAF_CHECK(contains(why, "is not trusted"));
    CAF_CHECK(contains(why, "tls_ca_file"));
  }
}

CAF_TEST(a client certificate of an unknown authority is told so) {
  const tls_redis redis{ca, own, {"tls-auth-clients yes"}};
  test_ca other;
  const auto client = other.issue("client");
  auto options = trusting(redis.url());
  options.tls_cert_file = client.cert_file;
  options.tls_key_file = client.key_file;
  CAF_CHECK(contains(ping(options), "accept"));
}

CAF_TEST(a port that speaks no TLS is recognized) {
  local_redis_options plain;
  plain.tcp = true;
  auto redis = start_redis(plain);
  auto options = trusting("rediss" + redis.tcp_url().substr(5));
  options.connect_timeout = 2s;
  CAF_CHECK(contains(run(open(options), within(8s, command("PING"))), "TLS"));
  tiny_server talker{[](const tiny_server::client& x) {
    x.say("220 mail.example ESMTP\r\n");
    x.wait();
  }};
  const auto why = ping(trusting("rediss" + talker.url().substr(5)));
  CAF_CHECK(contains(why, "tls_failed"));
  CAF_CHECK(contains(why, "does not speak TLS"));
}

CAF_TEST(a port that speaks only TLS is recognized) {
  const tls_redis redis{ca, own};
  redis_options options;
  options.url = "redis://127.0.0.1:" + std::to_string(redis.port);
  options.reconnect_last = 100ms;
  const auto why = run(open(options), within(5s, command("PING")));
  CAF_CHECK(contains(why, "rediss://"));
}

// -- files --------------------------------------------------------------------

CAF_TEST(files that are of no use are named and what is in them is not shown) {
  const tls_redis redis{ca, own};
  const auto client = ca.issue("client");
  ca.openssl("ec -aes128 -passout pass:secret -in client.key -out locked.key");
  const auto garbage = ca.dir() + "/garbage";
  std::ofstream{garbage} << "do not show this";
  auto refused = [&](const char* option, const std::string& file, auto change) {
    auto options = trusting(redis.url());
    options.tls_cert_file = client.cert_file;
    options.tls_key_file = client.key_file;
    change(options);
    const auto why = ping(options);
    CAF_CHECK(contains(why, "tls_failed"));
    CAF_CHECK(contains(why, std::string{option} + ": cannot use \"" + file));
    CAF_CHECK(why.find("do not show") == std::string::npos);
  };
  // Nobody writes into it.
  const auto pipe = ca.dir() + "/pipe";
  CAF_REQUIRE_EQUAL(::mkfifo(pipe.c_str(), 0600), 0);
  for (auto& file : {std::string{"/no/such/file"}, garbage, pipe}) {
    refused("tls_ca_file", file, [&](auto& x) { x.tls_ca_file = file; });
    refused("tls_cert_file", file, [&](auto& x) { x.tls_cert_file = file; });
    refused("tls_key_file", file, [&](auto& x) { x.tls_key_file = file; });
  }
  const auto locked = ca.dir() + "/locked.key";
  refused("tls_key_file", locked, [&](auto& x) { x.tls_key_file = locked; });
  // The key of another certificate.
  refused("tls_key_file", own.key_file,
          [&](auto& x) { x.tls_key_file = own.key_file; });
}

CAF_TEST(a password file that is a pipe stops no other connection) {
  auto redis = start_redis();
  redis_options options;
  options.url = redis.url();
  auto other = open(options);
  options.password_file = ca.dir() + "/passwords";
  CAF_REQUIRE_EQUAL(::mkfifo(options.password_file.c_str(), 0600), 0);
  const auto why = run(open(options), command("PING"));
  CAF_CHECK(contains(why, "password_file"));
  CAF_CHECK(contains(why, "it is no regular file"));
  CAF_CHECK_EQUAL(run(other, command("PING")), "PONG");
}

CAF_TEST(certificates that were renewed are used without a restart) {
  tls_redis redis{ca, own};
  raw_client raw{redis.server};
  const test_ca other;
  auto options = trusting(redis.url());
  options.tls_ca_file = ca.dir() + "/trusted.crt";
  auto trust = [&](const test_ca& x) {
    std::filesystem::copy_file(
      x.ca_file(), options.tls_ca_file,
      std::filesystem::copy_options::overwrite_existing);
  };
  trust(ca);
  auto uut = open(options);
  CAF_CHECK_EQUAL(run(uut, command("PING")), "PONG");
  // Files are read again after a failure only.
  trust(other);
  raw({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  CAF_CHECK_EQUAL(run(uut, within(20s, repeatable(command("PING")))), "PONG");
  auto late = open(options);
  CAF_CHECK(contains(run(late, command("PING")), "is not trusted"));
  trust(ca);
  CAF_CHECK(eventually([&] { return run(late, command("PING")) == "PONG"; }));
}

CAF_TEST(a password file that changes is used without a restart) {
  local_redis_options server;
  server.config = {"user app on >old ~* &* +@all"};
  auto redis = start_redis(server);
  raw_client raw{redis};
  redis_options options;
  options.url = std::string{redis.url()}.insert(7, "app:@");
  options.password_file = ca.dir() + "/password";
  options.reconnect_last = 200ms;
  std::ofstream{options.password_file} << "old\nnot this line\n";
  auto uut = open(options);
  CAF_CHECK_EQUAL(run(uut, command("ACL", "WHOAMI")), "app");
  raw({"ACL", "SETUSER", "app", "resetpass", ">new"});
  raw({"CLIENT", "KILL", "USER", "app"});
  std::string why;
  CAF_CHECK(eventually([&] {
    why = run(uut, command("PING"));
    return why.find("auth_failed") != std::string::npos;
  }));
  CAF_CHECK(contains(why, "WRONGPASS"));
  std::filesystem::remove(options.password_file);
  CAF_CHECK(eventually([&] {
    return run(uut, command("PING")).find("password_file") != std::string::npos;
  }));
  std::ofstream{options.password_file} << "new\n";
  CAF_CHECK(eventually([&] { return run(uut, command("PING")) == "PONG"; }));
  CAF_CHECK(logged().find("old") == std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
