#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace pulse::chaos {

/// What a link of the proxy does with what comes.
enum class link_mode : uint8_t {
  pass,
  /// Everything arrives later.
  delay,
  /// Nothing gets through, and nobody is told.
  hole,
  /// Requests get through, replies do not.
  deaf,
  /// So many bytes a second.
  throttle,
  /// Each byte in a segment of its own.
  bytewise,
  /// The next reply ends in the middle, with a reset.
  half_reply,
};

struct link_behaviour {
  link_mode mode = link_mode::pass;
  /// For `delay`.
  int64_t delay_us = 0;
  /// For `throttle`, each way.
  int64_t bytes_per_second = 0;
};

/// A client and its connection to Redis: two directions, bounded buffers.
class proxy_connection {
public:
  /// Takes over both descriptors, which do not block.
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

  /// 0: the client's, 1: the server's.
  [[nodiscard]] int fd(int side) const noexcept {
    return ends_[side];
  }

  /// What to poll for at a side.
  [[nodiscard]] short events(int side, const link_behaviour& how) const;

  /// Takes what came from a side and is allowed to.
  void receive(int side, const link_behaviour& how, int64_t now);

  /// Passes on what is due. @returns false if the connection is over.
  bool forward(const link_behaviour& how, int64_t now);

  /// Whether something waits for time to pass.
  [[nodiscard]] bool waiting() const noexcept {
    return !ways_[0].chunks.empty() || !ways_[1].chunks.empty();
  }

  /// Resets both ends.
  void cut();

  /// While it is frozen nothing gets through, as if the network kept losing the
  /// packets of this connection: what its client sent arrives when it thaws,
  /// though the client may have long given it up.
  void freeze(bool on) noexcept {
    frozen_ = on;
  }

private:
  struct chunk {
    int64_t due = 0;
    std::string bytes;
    size_t sent = 0;
  };
  /// From side i to the other one.
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
