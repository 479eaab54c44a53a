#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/resp/reply.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulse::redis {

/// What a new connection says first, in one piece: AUTH, SELECT, CLIENT
/// SETNAME, CLIENT ID, PING; and what the replies mean.
class handshake {
public:
  /// @param client_name Bytes that CLIENT SETNAME does not take are replaced.
  handshake(const endpoint& to, std::string_view client_name);

  /// The commands in RESP. They contain the password.
  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

  /// Judges the next reply. @returns whether it was the last one.
  /// Error: `auth_failed` or `permission_denied` (asking again will not help),
  /// `loading` or `unavailable` (it will), `protocol_error`.
  outcome<bool> on_reply(const resp::reply& x);

  /// Answer of CLIENT ID; 0 if the server did not permit it.
  [[nodiscard]] int64_t client_id() const noexcept {
    return client_id_;
  }

private:
  enum class step : uint8_t { auth, select, set_name, id, ping };

  [[nodiscard]] failure on_error(step at, failure why) const;

  std::string bytes_;
  std::vector<step> steps_;
  size_t pos_ = 0;
  uint32_t database_ = 0;
  std::string user_;
  int64_t client_id_ = 0;
};

} // namespace pulse::redis
