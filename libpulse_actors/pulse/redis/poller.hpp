#pragma once

#include "pulse/core/outcome.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace pulse::redis {

/// What happened to a socket; several values can be combined.
struct readiness {
  /// There may be bytes to read.
  static constexpr uint32_t reads = 1;
  /// The socket may take bytes.
  static constexpr uint32_t writes = 2;
  /// The peer has closed the connection, or the connection failed. A read tells
  /// which, after the bytes that arrived before.
  static constexpr uint32_t ended = 4;
};

/// Lets one thread wait for many sockets (epoll). A socket is reported once for
/// each change, not as long as it is ready: who hears that there are bytes must
/// read until there are none, and who could not write all bytes hears when the
/// socket takes more.
class poller {
public:
  struct event {
    /// The number of the socket.
    uint64_t number = 0;
    /// See readiness.
    uint32_t what = 0;
  };

  /// Error: `errc::connect_failed` if the process may not open more files.
  static outcome<std::unique_ptr<poller>> make();

  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller();

  /// Reports a socket from now on, as `number`, but not that it takes bytes.
  /// Any thread may call this.
  /// @param number Not 0.
  /// Error: `errc::connect_failed`.
  status add(int fd, uint64_t number);

  /// Reports as well that the socket takes bytes, at once if it does, or no
  /// longer. A Unix socket takes more bytes each time its peer has read, so
  /// only who waits for that should hear of it. Any thread may call this.
  void watch_writes(int fd, uint64_t number, bool watches) noexcept;

  /// Ends that. Call this before the socket is closed. Events that wait() has
  /// returned before are not taken back. Any thread may call this.
  void remove(int fd) noexcept;

  /// Looks at the sockets. Only one thread may call this.
  /// @param sleeps Whether to wait until something happens, or wake() is
  /// called.
  /// @returns what happened, valid until the next call.
  const std::vector<event>& wait(bool sleeps);

  /// Ends the wait that is under way, or else the next one. Any thread may call
  /// this.
  void wake() noexcept;

private:
  poller(int epoll, int waker) noexcept;

  int epoll_;
  /// An eventfd, which makes the thread return.
  int waker_;
  std::vector<event> events_;
};

} // namespace pulse::redis
