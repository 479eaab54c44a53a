#define CAF_SUITE redis.endpoint

#include "pulse/redis/endpoint.hpp"

#include <caf/test/unit_test.hpp>

using namespace pulse;

namespace {

endpoint parsed(std::string_view url) {
  auto x = parse_endpoint(url);
  if (!x)
    CAF_FAIL(url << ": " << x.error().what);
  return *x;
}

std::string refusal(std::string_view url) {
  auto x = parse_endpoint(url);
  CAF_REQUIRE(!x.ok());
  CAF_CHECK(x.error().code == errc::invalid_endpoint);
  return x.error().what;
}

bool refused_for(std::string_view url, std::string_view part) {
  return refusal(url).find(part) != std::string::npos;
}

} // namespace

CAF_TEST(all parts of a redis URL are read) {
  const auto x = parsed("redis://alice:s3cret@redis.example:7000/5");
  CAF_CHECK(x.transport == endpoint::kind::tcp);
  CAF_CHECK_EQUAL(x.user, "alice");
  CAF_CHECK_EQUAL(x.password, "s3cret");
  CAF_CHECK_EQUAL(x.host, "redis.example");
  CAF_CHECK_EQUAL(x.port, 7000u);
  CAF_CHECK_EQUAL(x.database, 5u);
}

CAF_TEST(what is left out has defaults) {
  for (auto* url : {"redis://", "redis:///", "redis://127.0.0.1",
                    "redis://127.0.0.1/", "redis://127.0.0.1:6379/0"})
    CAF_CHECK_EQUAL(to_string(parsed(url)), "redis://127.0.0.1:6379/0");
  CAF_CHECK_EQUAL(to_string(parsed("redis://h/3")), "redis://h:6379/3");
  const auto x = parsed("redis://:pw@h");
  CAF_CHECK_EQUAL(x.user, "");
  CAF_CHECK_EQUAL(x.password, "pw");
}

CAF_TEST(IPv6 hosts stand in brackets) {
  const auto x = parsed("redis://[fe80::1]:7000/1");
  CAF_CHECK_EQUAL(x.host, "fe80::1");
  CAF_CHECK_EQUAL(x.port, 7000u);
  CAF_CHECK_EQUAL(to_string(x), "redis://[fe80::1]:7000/1");
  CAF_CHECK(refused_for("redis://fe80::1:7000", "brackets"));
  CAF_CHECK(refused_for("redis://[::1", "bracket"));
  CAF_CHECK(refused_for("redis://[localhost]", "IPv6"));
}

CAF_TEST(user and password may be percent encoded) {
  const auto x = parsed("redis://a%40b:%3a%2F%25@h");
  CAF_CHECK_EQUAL(x.user, "a@b");
  CAF_CHECK_EQUAL(x.password, ":/%");
  const auto y = parsed("redis://:p@ss:w@h:1");
  CAF_CHECK_EQUAL(y.password, "p@ss:w");
  CAF_CHECK_EQUAL(y.host, "h");
}

CAF_TEST(the password may come from elsewhere) {
  const auto x = parsed("redis://alice:@h");
  CAF_CHECK_EQUAL(x.user, "alice");
  CAF_CHECK_EQUAL(x.password, "");
}

CAF_TEST(rediss asks for TLS) {
  const auto x = parsed("rediss://h");
  CAF_CHECK(x.transport == endpoint::kind::tls);
  CAF_CHECK_EQUAL(to_string(x), "rediss://h:6379/0");
}

CAF_TEST(a Unix socket has a path and perhaps a database and a password) {
  auto x = parsed("unix:///run/redis.sock");
  CAF_CHECK(x.transport == endpoint::kind::unix_socket);
  CAF_CHECK_EQUAL(x.path, "/run/redis.sock");
  CAF_CHECK_EQUAL(to_string(x), "unix:///run/redis.sock");
  x = parsed("unix://bob:pw@/run/my%20redis.sock?db=3");
  CAF_CHECK_EQUAL(x.path, "/run/my redis.sock");
  CAF_CHECK_EQUAL(x.user, "bob");
  CAF_CHECK_EQUAL(x.password, "pw");
  CAF_CHECK_EQUAL(x.database, 3u);
  CAF_CHECK_EQUAL(parsed("unix:///a@/b").path, "/a@/b");
  CAF_CHECK(refused_for("unix://relative/path", "absolute"));
  CAF_CHECK(refused_for("unix://", "absolute"));
  CAF_CHECK(refused_for("unix:///s?db=x", "database \"x\""));
  CAF_CHECK(refused_for("unix:///" + std::string(107, 'x'), "at most 107"));
}

CAF_TEST(the text says which part is wrong) {
  CAF_CHECK(refused_for("", "starts with none"));
  CAF_CHECK(refused_for("http://h", "starts with none"));
  CAF_CHECK(refused_for("localhost:6379", "starts with none"));
  CAF_CHECK(refused_for("redis://h:0", "port \"0\""));
  CAF_CHECK(refused_for("redis://h:65536", "port \"65536\""));
  CAF_CHECK(refused_for("redis://h:", "port \"\""));
  CAF_CHECK(refused_for("redis://h:12x/1", "port is no number"));
  CAF_CHECK(refused_for("redis://h/x", "database \"x\""));
  CAF_CHECK(refused_for("redis://h/-1", "database \"-1\""));
  CAF_CHECK(refused_for("redis://:7000", "host"));
  CAF_CHECK(refused_for("redis://a b", "host"));
  CAF_CHECK(refused_for("redis://user@h", "no colon"));
}

CAF_TEST(the password never appears in a text) {
  for (auto* url :
       {"redis://u:s3cret@h:0", "redis://u:s3cret%@h", "redis://s3cret@h",
        "redis://u:s3cret@h:x/1", "redis://u:s3cret@[::1", "http://u:s3cret@h",
        "redis://u:s3cret@h/x", "unix://u:s3cret@relative",
        "redis://u:s3cret@a:b:c", "redis://u:s3cret/1"})
    CAF_CHECK(refusal(url).find("s3cret") == std::string::npos);
  CAF_CHECK(to_string(parsed("redis://u:s3cret@h")).find("s3cret")
            == std::string::npos);
}
