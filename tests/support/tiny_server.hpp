#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include <caf/test/unit_test.hpp>

namespace pulse::test {

/// A server on a free port of 127.0.0.1, for behaviour that a real Redis never
/// shows. It runs a function of the test for each client, one client after the
/// other.
class tiny_server {
public:
  /// One client.
  class client {
  public:
    explicit client(int fd) noexcept : fd_(fd) {
      // nop
    }

    void say(std::string_view bytes) const {
      ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    /// @returns all bytes that came until `end` was seen, or the client left.
    std::string read_until(std::string_view end) const {
      std::string result;
      char buffer[4096];
      while (result.find(end) == std::string::npos) {
        const auto n = ::recv(fd_, buffer, sizeof(buffer), 0);
        if (n <= 0)
          break;
        result.append(buffer, static_cast<size_t>(n));
      }
      return result;
    }

    /// Performs the handshake of a connection without password. Replies that
    /// the previous connection is not known any more.
    void welcome() const {
      const auto words = read_until("PING\r\n");
      const bool comes_again = words.find("LIST") != std::string::npos;
      say(comes_again ? "+OK\r\n:1\r\n$0\r\n\r\n+PONG\r\n"
                      : "+OK\r\n:1\r\n+PONG\r\n");
    }

    /// Waits until the client leaves.
    void wait() const {
      read_until("\r\nthat nobody says");
    }

  private:
    int fd_;
  };

  /// @param port Of 127.0.0.1; 0: a free one.
  explicit tiny_server(std::function<void(const client&)> serve,
                       uint16_t port = 0)
    : serve_(std::move(serve)), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CAF_REQUIRE(::bind(fd_, generic, size) == 0 && ::listen(fd_, 16) == 0
                && ::getsockname(fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
  }

  ~tiny_server() {
    stopping_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    ::shutdown(current_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  [[nodiscard]] std::string url() const {
    return "redis://127.0.0.1:" + std::to_string(port_);
  }

  /// @returns the number of clients so far.
  [[nodiscard]] int clients() const {
    return clients_;
  }

private:
  void run() {
    while (!stopping_) {
      const auto fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0)
        return;
      current_ = fd;
      ++clients_;
      if (!stopping_)
        serve_(client{fd});
      current_ = -1;
      ::close(fd);
    }
  }

  std::function<void(const client&)> serve_;
  int fd_;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> current_{-1};
  std::atomic<int> clients_{0};
  std::thread thread_;
};

/// A server whose queue of clients is full, so that a connect to it neither
/// succeeds nor fails.
class full_server {
public:
  full_server() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CAF_REQUIRE(::bind(fd_, generic, size) == 0 && ::listen(fd_, 0) == 0
                && ::getsockname(fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    for (auto& x : clients_) {
      x = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(x, generic, size);
    }
  }

  full_server(const full_server&) = delete;
  full_server& operator=(const full_server&) = delete;

  ~full_server() {
    for (auto x : clients_)
      ::close(x);
    ::close(fd_);
  }

  [[nodiscard]] std::string url() const {
    return "redis://127.0.0.1:" + std::to_string(port_);
  }

private:
  int fd_;
  uint16_t port_ = 0;
  std::array<int, 4> clients_{};
};

} // namespace pulse::test
