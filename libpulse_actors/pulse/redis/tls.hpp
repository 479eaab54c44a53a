#pragma once

#include "pulse/core/outcome.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pulse::redis {

/// Who to trust and who we are. All files are in PEM format.
struct tls_settings {
  /// Certificate authorities; empty: those of the system.
  std::string ca_file;
  /// Our certificate (chain) and its key, not encrypted; both or none.
  std::string cert_file;
  std::string key_file;
};

/// The certificates of an endpoint, read from their files.
class tls_context {
public:
  /// Reads the files. Error: `errc::tls_failed` that names the option and the
  /// file, and never shows what is in it.
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

/// TLS 1.2 or later between a socket and what talks over it: bytes go in and
/// come out, it never touches the socket. The peer's certificate must be valid
/// and be that of the server that was meant.
class tls_filter {
public:
  /// @param server_name Host name or IP address that the peer's certificate
  /// must have.
  tls_filter(std::shared_ptr<const tls_context> context,
             const std::string& server_name);
  ~tls_filter();
  tls_filter(tls_filter&&) noexcept;
  tls_filter& operator=(tls_filter&&) noexcept;

  /// Takes what came from the socket and appends what it says to `plain`; may
  /// have output afterwards. Error: `errc::tls_failed` that says what to do;
  /// the connection is of no use then. What was received before is in `plain`.
  status receive(std::string_view bytes, std::string& plain);

  /// Takes what is to be sent; it becomes output when the handshake is done.
  /// Error: as receive().
  status send(std::string_view plain);

  /// @returns what is to be written to the socket now. The first output is
  /// there from the beginning.
  std::string take_output();

  /// What to say if the socket was closed now: a peer that was not heard yet
  /// may not like us. @returns nothing to say (`errc::none`) once it was heard.
  [[nodiscard]] failure why_closed() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace pulse::redis
