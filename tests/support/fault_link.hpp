#pragma once

#include "pulse/testing/local_redis.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// A TCP port of 127.0.0.1 that forwards to a local Redis, over links that a
/// test can break.
class fault_link {
public:
  explicit fault_link(const local_redis& to)
    : path_(to.socket_path()), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CAF_REQUIRE(::bind(listener_, generic, size) == 0
                && ::listen(listener_, 16) == 0
                && ::getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }

  fault_link(const fault_link&) = delete;
  fault_link& operator=(const fault_link&) = delete;

  ~fault_link() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }

  [[nodiscard]] std::string url() const {
    return "redis://127.0.0.1:" + std::to_string(port_);
  }

  /// @returns the number of links that were opened so far.
  [[nodiscard]] int links() const {
    return count_;
  }

  /// From now on no byte passes on the existing links, and none of them ends,
  /// as if a cable had been pulled. New links work.
  void fall_silent() {
    ask(silence_);
  }

  /// No byte passes until go_on(), on existing and on new links.
  void hold() {
    held_ = true;
  }
  void go_on() {
    held_ = false;
  }

  /// From now on each link passes so many bytes per second of the replies.
  void slow_down(size_t bytes_per_second) {
    reply_rate_ = bytes_per_second;
  }
  /// The same for the commands.
  void slow_down_commands(size_t bytes_per_second) {
    command_rate_ = bytes_per_second;
  }

  /// Each link is reset (RST) when its next reply passes, after `bytes` of that
  /// reply.
  void reset_after(size_t bytes) {
    cut_after_ = bytes;
    ask(cut_);
  }

private:
  using clock = std::chrono::steady_clock;

  // A slow link passes so many bytes at a time.
  static constexpr size_t portion = 16u << 10;

  struct link {
    int client;
    int server;
    bool silent = false;
    bool doomed = false;
    // How many bytes of replies and of commands may pass now.
    double replies = 0;
    double commands = 0;
    std::string to_client = {};
    std::string to_server = {};
  };

  // Waits until the thread has seen the change.
  void ask(std::atomic<bool>& what) {
    what = true;
    while (what)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }

  void run() {
    while (!stopping_) {
      if (silence_) {
        for (auto& x : links_)
          x.silent = true;
        silence_ = false;
      }
      if (cut_) {
        for (auto& x : links_)
          x.doomed = true;
        cut_ = false;
      }
      step();
    }
    for (auto& x : links_)
      close(x);
  }

  // A link that is not limited may pass everything.
  void update_allowances() {
    const auto now = clock::now();
    const std::chrono::duration<double> time = now - std::exchange(last_, now);
    const auto update = [&](double& allowance, size_t limit) {
      const auto rate = static_cast<double>(limit);
      allowance = limit == 0 ? 1e12
                             : std::min(allowance + rate * time.count(),
                                        std::max<double>(rate / 20, portion));
    };
    for (auto& x : links_) {
      update(x.replies, reply_rate_);
      update(x.commands, command_rate_);
    }
  }

  void step() {
    update_allowances();
    std::vector<pollfd> fds{{listener_, POLLIN, 0}};
    std::vector<link*> owners;
    for (auto& x : links_) {
      const bool dead = held_ || x.silent;
      fds.push_back(
        {x.client, events(x.to_server, may_pass(x.to_client, x.replies)), 0});
      fds.push_back(
        {x.server, events(x.to_client, may_pass(x.to_server, x.commands)), 0});
      if (dead)
        fds[fds.size() - 1].fd = fds[fds.size() - 2].fd = -1;
      owners.push_back(&x);
    }
    if (::poll(fds.data(), fds.size(), 2) <= 0)
      return;
    for (size_t i = 0; i < owners.size(); ++i)
      if (!serve(*owners[i], fds[2 * i + 1].revents, fds[2 * i + 2].revents))
        close(*owners[i]);
    links_.remove_if([](auto& x) { return x.client < 0; });
    if (fds[0].revents != 0)
      accept();
  }

  // With fewer bytes at a time a slow link would keep a core busy.
  static bool may_pass(const std::string& what, double allowance) {
    return !what.empty()
           && allowance >= static_cast<double>(std::min(what.size(), portion));
  }

  // Reads only as much as the other side has taken.
  static short events(const std::string& from, bool writes) {
    return static_cast<short>((from.empty() ? POLLIN : 0)
                              | (writes ? POLLOUT : 0));
  }

  bool serve(link& x, short client, short server) {
    if (!pump(x.client, client, x.to_server, x.to_client, x.replies)
        || !pump(x.server, server, x.to_client, x.to_server, x.commands))
      return false;
    if (!x.doomed || x.to_client.empty())
      return true;
    const auto n = std::min<size_t>(x.to_client.size(), cut_after_);
    ::send(x.client, x.to_client.data(), n, MSG_NOSIGNAL);
    // Lets the bytes arrive: a reset discards bytes that the peer has not read
    // yet.
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    const linger hard{1, 0};
    ::setsockopt(x.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    return false;
  }

  static bool pump(int fd, short ready, std::string& in, std::string& out,
                   double& allowance) {
    if ((ready & POLLOUT) != 0) {
      const auto size = std::min(out.size(), static_cast<size_t>(allowance));
      const auto n = ::send(fd, out.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0)
        return false;
      out.erase(0, static_cast<size_t>(n));
      allowance -= static_cast<double>(n);
    }
    if ((ready & (POLLIN | POLLHUP | POLLERR)) == 0)
      return true;
    char buffer[64 << 10];
    const auto n = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n <= 0)
      return false;
    in.append(buffer, static_cast<size_t>(n));
    return true;
  }

  void accept() {
    const auto client = ::accept(listener_, nullptr, nullptr);
    if (client < 0)
      return;
    ++count_;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const auto server = ::socket(AF_UNIX, SOCK_STREAM, 0);
    link x{client, server};
    if (::connect(server, reinterpret_cast<sockaddr*>(&address),
                  sizeof(address))
        == 0)
      links_.push_back(x);
    else
      close(x);
  }

  static void close(link& x) {
    ::close(x.client);
    ::close(x.server);
    x.client = -1;
  }

  std::string path_;
  int listener_;
  uint16_t port_ = 0;
  std::list<link> links_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> held_{false};
  std::atomic<bool> silence_{false};
  std::atomic<bool> cut_{false};
  std::atomic<size_t> cut_after_{0};
  std::atomic<int> count_{0};
  std::atomic<size_t> reply_rate_{0};
  std::atomic<size_t> command_rate_{0};
  clock::time_point last_ = clock::now();
  std::thread thread_;
};

} // namespace pulse::test
