#pragma once

#include "pulse/actors/internal/connection/broker_socket.hpp"
#include "pulse/core/options.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/redis/tls.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pulse::internal {

/// The socket of a connection to Redis, with TLS if the URL asks for it. Its
/// users write and receive plaintext.
class secured_socket : private broker_socket {
public:
  secured_socket(caf::io::abstract_broker* owner, const endpoint& to,
                 const redis_options& options);

  using broker_socket::flush;
  using broker_socket::forget;
  using broker_socket::has_any;
  using broker_socket::is;

  /// Call this before open(). Reads the certificates, unless they were read
  /// before and did not fail since. It blocks the calling thread while it reads
  /// these small files.
  /// Error: `errc::tls_failed`.
  status prepare();

  /// Takes ownership of `fd`, as broker_socket, and begins the TLS handshake.
  /// @pre prepare() succeeded
  void open(int fd);

  /// Error: `errc::tls_failed`; the socket cannot be used any more then.
  status write(const std::string& plain);

  /// Decrypts bytes that arrived.
  /// @param plain Becomes their plaintext: without TLS the same bytes,
  /// otherwise bytes that are valid until the next call. Error: as write();
  /// there may be plaintext as well.
  status receive(std::string_view bytes, std::string_view& plain);

  void give_up() noexcept;

  /// @returns why the peer may have closed the socket; `errc::none` if unknown.
  [[nodiscard]] failure why_closed() const;

private:
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
