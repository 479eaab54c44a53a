#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/resp/command_batch.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace pulse::redis {

/// A non-blocking stream socket, and the bytes that wait to be written to it.
/// Its owner asks a poller when it is ready.
class stream_socket {
public:
  /// What flush() did.
  struct progress {
    /// Bytes that the socket took.
    size_t written = 0;
    /// Bytes that still wait, because the socket takes no more at the moment.
    size_t unsent = 0;
  };

  /// What read() found.
  struct received {
    /// Empty: there is nothing at the moment, or `ended`.
    std::string_view bytes;
    /// The peer has closed the connection, or the connection failed.
    bool ended = false;
  };

  stream_socket() = default;
  stream_socket(const stream_socket&) = delete;
  stream_socket& operator=(const stream_socket&) = delete;

  ~stream_socket() {
    abandon();
  }

  /// Takes ownership of a non-blocking socket. Its connect may still be under
  /// way.
  /// @pre there is no open socket
  void open(int fd) noexcept {
    fd_ = fd;
  }

  [[nodiscard]] bool is_open() const noexcept {
    return fd_ >= 0;
  }

  [[nodiscard]] int fd() const noexcept {
    return fd_;
  }

  /// Keeps the bytes of `x` until flush(). Nothing is copied.
  void write(command_ptr x);
  void write(std::string bytes);

  /// @returns whether bytes wait to be written.
  [[nodiscard]] bool has_unsent() const noexcept {
    return unsent_ > 0;
  }

  /// Gives as many bytes to the socket as it takes. Error:
  /// `errc::connection_lost`; a read tells the end of the connection as well.
  outcome<progress> flush();

  /// Reads once.
  /// @param buffer Where the bytes of the result stand.
  received read(char* buffer, size_t size) noexcept;

  /// Ends the connection at once. Bytes that the peer has not received yet are
  /// discarded. Otherwise the kernel would go on sending them, and Redis would
  /// execute commands long after they were given up and repeated.
  void abandon() noexcept;

private:
  /// Bytes to write. Either `commands` or `text` has them.
  struct chunk {
    command_ptr commands;
    std::string text;

    [[nodiscard]] std::string_view bytes() const noexcept {
      return commands ? std::string_view{commands->bytes} : text;
    }
  };

  void drop_written(size_t n);

  int fd_ = -1;
  std::deque<chunk> chunks_;
  /// How many bytes of the first chunk are written.
  size_t first_written_ = 0;
  size_t unsent_ = 0;
};

} // namespace pulse::redis
