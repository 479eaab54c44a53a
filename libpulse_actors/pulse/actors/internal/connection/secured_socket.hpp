#pragma once

#include "pulse/core/options.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/redis/stream_socket.hpp"
#include "pulse/redis/tls.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulse::internal {

/// The socket of a connection to Redis, with TLS if the URL asks for it. Its
/// users write and receive plaintext.
class secured_socket : private redis::stream_socket {
public:
  /// What receive() found.
  struct received {
    /// Plaintext, valid until the next call or until the buffer changes.
    std::string_view plain;
    /// How many bytes were read; 0: there were none.
    size_t size = 0;
    /// See redis::stream_socket::received.
    bool ended = false;
    /// `errc::tls_failed`: the socket cannot be used any more. `plain` has what
    /// came before.
    status ok;
  };

  secured_socket(const endpoint& to, const redis_options& options);

  using redis::stream_socket::fd;
  using redis::stream_socket::flush;
  using redis::stream_socket::has_unsent;
  using redis::stream_socket::is_open;

  /// Call this before open(). Reads the certificates, unless they were read
  /// before and did not fail since. It blocks the calling thread while it reads
  /// these small files.
  /// Error: `errc::tls_failed`.
  status prepare();

  /// Takes ownership of `fd`, and begins the TLS handshake.
  /// @pre prepare() succeeded, and there is no open socket
  void open(int fd);

  /// Keeps bytes until flush(). Does nothing if there is no socket. Error:
  /// `errc::tls_failed`; the socket cannot be used any more then.
  status write(command_ptr x);
  status write(std::string plain);

  /// Reads once, and decrypts what has arrived.
  received receive(std::vector<char>& buffer);

  /// See redis::stream_socket.
  void abandon() noexcept;

  /// @returns why the peer may have closed the socket; `errc::none` if unknown.
  [[nodiscard]] failure why_closed() const;

private:
  status encrypt(std::string_view plain);
  status judge(status x);
  void send_output();

  bool secure_;
  std::string server_name_;
  redis::tls_settings settings_;
  std::shared_ptr<const redis::tls_context> certificates_;
  std::optional<redis::tls_filter> tls_;
  /// The plaintext that was received last.
  std::string plain_;
};

} // namespace pulse::internal
