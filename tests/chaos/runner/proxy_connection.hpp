#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace pulse::chaos {

/// What a link of the proxy does with the bytes that it gets.
enum class link_mode : uint8_t {
  pass,
  /// All bytes arrive later.
  delay,
  /// No byte passes, and no connection is closed.
  hole,
  /// Requests pass, replies do not.
  deaf,
  /// The link has a maximum number of bytes per second.
  throttle,
  /// Each byte is sent in a segment of its own.
  bytewise,
  /// The connection is reset in the middle of the next reply.
  half_reply,
};

struct link_behaviour {
  link_mode mode = link_mode::pass;
  /// For `delay`.
  int64_t delay_us = 0;
  /// For `throttle`, each way.
  int64_t bytes_per_second = 0;
};

/// The connection of a client through the proxy to Redis. It has a bounded
/// buffer for each direction.
class proxy_connection {
public:
  /// Takes ownership of both descriptors, which must be non-blocking.
  proxy_connection(int client, int server, size_t link)
    : link_(link), ends_{client, server} {
    // nop
  }

  proxy_connection(const proxy_connection&) = delete;
  proxy_connection& operator=(const proxy_connection&) = delete;
  ~proxy_connection();

  [[nodiscard]] size_t link() const noexcept {
    return link_;
  }

  /// @param side 0: the client's side, 1: the server's side.
  [[nodiscard]] int fd(int side) const noexcept {
    return ends_[side];
  }

  /// @returns the events to poll for at a side.
  [[nodiscard]] short events(int side, const link_behaviour& how) const;

  /// Receives bytes from a side, unless the behaviour of the link forbids that.
  void receive(int side, const link_behaviour& how, int64_t now);

  /// Sends the bytes that are due. @returns false if the connection has ended.
  bool forward(const link_behaviour& how, int64_t now);

  /// @returns whether bytes wait to be sent.
  [[nodiscard]] bool waiting() const noexcept {
    return !ways_[0].chunks.empty() || !ways_[1].chunks.empty();
  }

  /// Resets both ends.
  void cut();

  /// While the connection is frozen, no byte passes, as if the network lost all
  /// its packets. When it goes on, the bytes of the client arrive, although the
  /// client may have closed the connection long ago.
  void freeze(bool on) noexcept {
    frozen_ = on;
  }

private:
  struct chunk {
    int64_t due = 0;
    std::string bytes;
    size_t sent = 0;
  };
  /// The direction from one side to the other.
  struct way {
    std::deque<chunk> chunks;
    size_t size = 0;
    bool ended = false;
    int64_t last = 0;
    double allowance = 0;
  };

  bool forward(int from, const link_behaviour& how, int64_t now);
  [[nodiscard]] bool blocked(int from, const link_behaviour& how) const;
  size_t allowed(way& x, const link_behaviour& how, int64_t now);

  size_t link_;
  int ends_[2];
  way ways_[2];
  bool broken_ = false;
  bool frozen_ = false;
};

} // namespace pulse::chaos
