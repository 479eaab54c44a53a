#pragma once

#include "pulse/core/outcome.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pulse::redis {

/// The certificates of a connection. All files are in PEM format.
struct tls_settings {
  /// The certificate authorities to trust; empty: those of the system.
  std::string ca_file;
  /// The client's certificate (or chain) and its key, which must not be
  /// encrypted. Set both or none.
  std::string cert_file;
  std::string key_file;
};

/// The certificates of an endpoint, read from their files.
class tls_context {
public:
  /// Reads the files. Error: `errc::tls_failed`. Its text has the option and
  /// the name of the file, but nothing of its content.
  static outcome<std::shared_ptr<const tls_context>>
  read(const tls_settings& settings);

  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  ~tls_context();

private:
  friend class tls_filter;
  struct impl;
  explicit tls_context(std::unique_ptr<impl> x) noexcept;
  std::unique_ptr<impl> impl_;
};

/// Encrypts and decrypts the bytes of one connection by TLS 1.2 or later. This
/// class does no I/O: its owner reads from the socket and writes to it. The
/// certificate of the peer must be valid and issued for the expected server.
class tls_filter {
public:
  /// @param server_name The host name or IP address for which the certificate
  /// of the peer must be issued.
  tls_filter(std::shared_ptr<const tls_context> context,
             const std::string& server_name);
  ~tls_filter();
  tls_filter(tls_filter&&) noexcept;
  tls_filter& operator=(tls_filter&&) noexcept;

  /// Decrypts bytes that came from the socket and appends the plaintext to
  /// `plain`. Call take_output() afterwards. Error: `errc::tls_failed` with a
  /// text that says what to do; the connection cannot be used any more then.
  /// `plain` also has the plaintext before the error.
  status receive(std::string_view bytes, std::string& plain);

  /// Encrypts plaintext to be sent. It becomes output when the handshake is
  /// done. Error: as receive().
  status send(std::string_view plain);

  /// @returns the bytes to write to the socket now. There is output from the
  /// beginning: the first message of the handshake.
  std::string take_output();

  /// @returns why the peer may have closed the socket, if it closes it now.
  /// `errc::none` after the first plaintext has arrived, because the peer has
  /// accepted the connection then.
  [[nodiscard]] failure why_closed() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse::redis
