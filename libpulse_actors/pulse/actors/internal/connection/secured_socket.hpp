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

/// The socket of a connection to Redis, with TLS if the URL asks for it: what
/// goes in and comes out is plaintext.
class secured_socket : private broker_socket {
public:
  secured_socket(caf::io::abstract_broker* owner, const endpoint& to,
                 const redis_options& options);

  using broker_socket::flush;
  using broker_socket::forget;
  using broker_socket::has_any;
  using broker_socket::is;

  /// To be called before open(): reads the certificates, unless they are known
  /// and good so far. Small files, but on the thread of the caller.
  /// Error: `errc::tls_failed`.
  status prepare();

  /// Takes over `fd`, as broker_socket, and begins to talk.
  /// @pre prepare() succeeded
  void open(int fd);

  /// Error: `errc::tls_failed`; the socket is of no use then.
  status write(const std::string& plain);

  /// Takes bytes that came in and appends what they say to `plain`.
  /// Error: as write().
  status receive(std::string_view bytes, std::string& plain);

  void give_up() noexcept;

  /// Why the peer may have closed the socket; `errc::none`: no idea.
  [[nodiscard]] failure why_closed() const;

private:
  status judge(status x);
  void send_output();

  bool secure_;
  std::string server_name_;
  redis::tls_settings settings_;
  std::shared_ptr<const redis::tls_context> certificates_;
  std::optional<redis::tls_filter> tls_;
};

} // namespace pulse::internal
