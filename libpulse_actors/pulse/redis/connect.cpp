#include "pulse/redis/connect.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace pulse::redis {

namespace {

// After this many seconds without traffic the kernel sends probes at this
// interval in seconds. The connection ends if this many probes get no reply.
constexpr int keepalive_idle = 10;
constexpr int keepalive_interval = 3;
constexpr int keepalive_probes = 3;
// While data are under way the kernel sends no probes. Then the connection ends
// after this time.
constexpr int user_timeout_ms = 15'000;

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

std::string text_of(int error_number) {
  return std::generic_category().message(error_number);
}

// If the result is null, `code` is the error code of getaddrinfo.
address_list look_up(const std::string& host, const std::string& port,
                     int flags, int& code) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* result = nullptr;
  code = ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(),
                       &hints, &result);
  return {code == 0 ? result : nullptr, ::freeaddrinfo};
}

void set(int fd, int level, int option, int value) {
  // The connection also works without these options, so errors are ignored.
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

void tune_tcp(int fd) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

outcome<int> start_connect(const sockaddr* to, socklen_t size) {
  const auto fd = ::socket(to->sa_family,
                           SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return failure{errc::connect_failed,
                   "cannot create a socket: " + text_of(errno)};
  if (to->sa_family != AF_UNIX)
    tune_tcp(fd);
  if (::connect(fd, to, size) == 0 || errno == EINPROGRESS)
    return fd;
  const auto error_number = errno;
  ::close(fd);
  // connect() to a Unix socket fails with EAGAIN if too many clients wait for
  // accept().
  return failure{errc::connect_failed,
                 error_number == EAGAIN
                   ? "too many clients wait for the server to accept them"
                   : text_of(error_number)};
}

outcome<int> connect_unix(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  // parse_endpoint() has checked the length of the path.
  path.copy(to.sun_path, sizeof(to.sun_path) - 1);
  return start_connect(reinterpret_cast<const sockaddr*>(&to), sizeof(to));
}

} // namespace

addresses known_addresses(const endpoint& x) {
  if (x.transport == endpoint::kind::unix_socket)
    return {""};
  if (x.host == "localhost")
    return {"127.0.0.1", "::1"};
  int code = 0;
  if (look_up(x.host, {}, AI_NUMERICHOST, code))
    return {x.host};
  return {};
}

outcome<addresses> resolve(const std::string& host) {
  int code = 0;
  const auto list = look_up(host, {}, AI_ADDRCONFIG, code);
  const auto error_number = errno;
  if (!list) {
    const auto reason = code == EAI_SYSTEM ? text_of(error_number)
                                           : std::string{::gai_strerror(code)};
    return failure{errc::connect_failed,
                   "cannot resolve \"" + host + "\": " + reason};
  }
  addresses result;
  for (auto* i = list.get(); i != nullptr; i = i->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof(text), nullptr, 0,
                      NI_NUMERICHOST)
          == 0
        && std::find(result.begin(), result.end(), text) == result.end())
      result.emplace_back(text);
  }
  if (result.empty())
    return failure{errc::connect_failed, "\"" + host + "\" has no address"};
  return result;
}

outcome<int> connect(const endpoint& x, const std::string& address) {
  if (x.transport == endpoint::kind::unix_socket)
    return connect_unix(x.path);
  int code = 0;
  const auto to = look_up(address, std::to_string(x.port), AI_NUMERICHOST,
                          code);
  if (!to)
    return failure{errc::connect_failed, "\"" + address
                                           + "\" is no IP "
                                             "address"};
  return start_connect(to->ai_addr, to->ai_addrlen);
}

} // namespace pulse::redis
