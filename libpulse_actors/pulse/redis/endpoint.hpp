#pragma once

#include "pulse/core/outcome.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulse {

/// A parsed endpoint URL. `password` is a secret: to_string() hides it.
struct endpoint {
  enum class kind : uint8_t { tcp, tls, unix_socket };

  kind transport = kind::tcp;
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string path; // of the Unix socket
  std::string user;
  std::string password;
  uint32_t database = 0;
};

/// Reads `redis://[[user]:password@]host[:port][/db]`, `rediss://…` (TLS) or
/// `unix://[[user]:password@]/path[?db=n]`. User and password may be
/// percent-encoded. An IPv6 host must be in brackets.
/// Error: `errc::invalid_endpoint`. Its text says which part is wrong and never
/// contains the password.
outcome<endpoint> parse_endpoint(std::string_view url);

/// @returns the URL without user and password, for logs and error texts.
std::string to_string(const endpoint& x);

} // namespace pulse
