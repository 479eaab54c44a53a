#include "chaos/runner/proxy.hpp"

#include "chaos/node/journal.hpp"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pulse::chaos {

namespace {

constexpr int stream_flags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

int listen_somewhere(uint16_t& port) {
  const int fd = ::socket(AF_INET, stream_flags, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, any, size) != 0 || ::listen(fd, 64) != 0
      || ::getsockname(fd, any, &size) != 0) {
    std::perror("the proxy cannot listen");
    std::exit(2);
  }
  port = ntohs(address.sin_port);
  return fd;
}

// Returns -1 if no server listens, or if it does not accept the connection.
int dial(const std::string& path) {
  const int fd = ::socket(AF_UNIX, stream_flags, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address))
      == 0)
    return fd;
  ::close(fd);
  return -1;
}

void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd);
}

} // namespace

proxy::proxy(std::string socket_path, size_t links)
  : socket_path_(std::move(socket_path)),
    links_(links),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (auto& x : links_)
    x.listener = listen_somewhere(x.port);
  thread_ = std::thread{[this] { run(); }};
}

proxy::~proxy() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
  }
  ::eventfd_write(wake_, 1);
  thread_.join();
  for (auto& x : links_)
    ::close(x.listener);
  ::close(wake_);
}

std::string proxy::url(size_t link) const {
  return "redis://127.0.0.1:" + std::to_string(links_[link].port);
}

void proxy::set(size_t link, link_behaviour how) {
  {
    std::lock_guard guard{mutex_};
    links_[link].how = how;
  }
  ::eventfd_write(wake_, 1);
}

void proxy::cut(size_t link) {
  {
    std::lock_guard guard{mutex_};
    links_[link].cut = true;
  }
  ::eventfd_write(wake_, 1);
}

void proxy::freeze(size_t link, bool on) {
  {
    std::lock_guard guard{mutex_};
    links_[link].freeze = on;
  }
  ::eventfd_write(wake_, 1);
}

link_counts proxy::counts(size_t link) const {
  std::lock_guard guard{mutex_};
  return links_[link].counts;
}

void proxy::run() {
  for (;;) {
    poll_all();
    std::lock_guard guard{mutex_};
    if (stopped_)
      return;
    accept_all();
    serve();
  }
}

int proxy::poll_all() {
  std::vector<pollfd> entries{{wake_, POLLIN, 0}};
  int timeout = 1'000;
  {
    std::lock_guard guard{mutex_};
    for (const auto& x : links_)
      entries.push_back({x.listener, POLLIN, 0});
    for (const auto& x : connections_) {
      const auto& how = links_[x.link()].how;
      for (int side : {0, 1})
        // A side that is not read now must not wake up poll() when it closes.
        if (const auto events = x.events(side, how); events != 0)
          entries.push_back({x.fd(side), events, 0});
      if (x.waiting())
        timeout = 1;
    }
  }
  const int result = ::poll(entries.data(), entries.size(), timeout);
  eventfd_t ignored = 0;
  ::eventfd_read(wake_, &ignored);
  return result;
}

void proxy::accept_all() {
  for (size_t i = 0; i < links_.size(); ++i)
    for (;;) {
      const int client = ::accept4(links_[i].listener, nullptr, nullptr,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0)
        break;
      welcome(i, client);
    }
}

void proxy::welcome(size_t link, int client) {
  auto& counts = links_[link].counts;
  ++counts.accepted;
  const int one = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  const int server = dial(socket_path_);
  if (server < 0)
    return reset(client);
  connections_.emplace_back(client, server, link);
}

void proxy::serve() {
  const auto now = now_us();
  for (auto& x : links_)
    x.counts.open = 0;
  for (auto i = connections_.begin(); i != connections_.end();) {
    auto& link = links_[i->link()];
    if (link.cut)
      i->cut();
    if (link.freeze)
      i->freeze(*link.freeze);
    bool alive = !link.cut;
    for (int side : {0, 1})
      if (alive)
        i->receive(side, link.how, now);
    alive = alive && i->forward(link.how, now);
    link.counts.open += alive ? 1 : 0;
    i = alive ? std::next(i) : connections_.erase(i);
  }
  for (auto& x : links_) {
    x.cut = false;
    x.freeze.reset();
    x.counts.most_open = std::max(x.counts.most_open, x.counts.open);
  }
}

} // namespace pulse::chaos
