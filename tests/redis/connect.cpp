#define CAF_SUITE redis.connect

#include "pulse/redis/connect.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/test/unit_test.hpp>

using namespace pulse;
using namespace pulse::redis;

namespace {

endpoint parsed(std::string_view url) {
  return parse_endpoint(url).value();
}

// A socket that listens on a free port of 127.0.0.1.
struct listener {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  endpoint at;

  listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CAF_REQUIRE(::bind(fd, generic, size) == 0);
    CAF_REQUIRE(::listen(fd, 1) == 0);
    CAF_REQUIRE(::getsockname(fd, generic, &size) == 0);
    at.port = ntohs(address.sin_port);
  }

  ~listener() {
    ::close(fd);
  }
};

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  CAF_REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

} // namespace

CAF_TEST(IP addresses and localhost and paths need no resolver) {
  CAF_CHECK(known_addresses(parsed("redis://10.1.2.3"))
            == addresses{"10.1.2.3"});
  CAF_CHECK(known_addresses(parsed("redis://[::1]")) == addresses{"::1"});
  CAF_CHECK(known_addresses(parsed("redis://localhost"))
            == (addresses{"127.0.0.1", "::1"}));
  CAF_CHECK(known_addresses(parsed("unix:///x")) == addresses{""});
  CAF_CHECK(known_addresses(parsed("redis://redis.example")).empty());
}

CAF_TEST(a name becomes numeric addresses) {
  const auto found = resolve("LOCALHOST");
  CAF_REQUIRE(found.ok());
  CAF_CHECK(found->front() == "127.0.0.1" || found->front() == "::1");
}

CAF_TEST(a name that cannot be is an error with the name) {
  const auto found = resolve("no such name");
  CAF_REQUIRE(!found.ok());
  CAF_CHECK(found.error().code == errc::connect_failed);
  CAF_CHECK(found.error().what.find("\"no such name\"") != std::string::npos);
}

CAF_TEST(a TCP socket is tuned and does not block) {
  const listener server;
  const auto fd = redis::connect(server.at, "127.0.0.1");
  CAF_REQUIRE(fd.ok());
  CAF_CHECK((::fcntl(*fd, F_GETFL) & O_NONBLOCK) != 0);
  CAF_CHECK((::fcntl(*fd, F_GETFD) & FD_CLOEXEC) != 0);
  CAF_CHECK(option(*fd, IPPROTO_TCP, TCP_NODELAY) != 0);
  CAF_CHECK(option(*fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
  CAF_CHECK_EQUAL(option(*fd, IPPROTO_TCP, TCP_KEEPIDLE), 10);
  CAF_CHECK_EQUAL(option(*fd, IPPROTO_TCP, TCP_KEEPINTVL), 3);
  CAF_CHECK_EQUAL(option(*fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  CAF_CHECK_EQUAL(option(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 15'000);
  ::close(*fd);
}

CAF_TEST(what is clear at once is an error that says why) {
  auto x = redis::connect(parsed("unix:///no/such/socket"), "");
  CAF_REQUIRE(!x.ok());
  CAF_CHECK(x.error().code == errc::connect_failed);
  CAF_CHECK_EQUAL(x.error().what, "No such file or directory");
  x = redis::connect(parsed("redis://h"), "not an address");
  CAF_REQUIRE(!x.ok());
  CAF_CHECK(x.error().code == errc::connect_failed);
}
