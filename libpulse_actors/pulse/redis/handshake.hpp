#pragma once

#include "pulse/core/outcome.hpp"
#include "pulse/redis/endpoint.hpp"
#include "pulse/resp/reply.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulse::redis {

/// The first commands of a new connection, which are sent together: AUTH,
/// SELECT, CLIENT SETNAME, CLIENT ID, PING. This class also judges the replies.
///
/// The server, or a proxy, may not know that a connection was given up. Then
/// commands that are still under way on it would be executed after they were
/// repeated on the new connection. So the new connection first ends the old one
/// by CLIENT KILL. If the user has no permission for that, the old connection
/// stays.
class handshake {
public:
  /// @param client_name Must be unique in Redis. Bytes that CLIENT SETNAME does
  /// not accept are replaced.
  /// @param predecessor CLIENT ID of the last connection with that name; 0:
  /// there was none.
  handshake(const endpoint& to, std::string_view client_name,
            int64_t predecessor = 0);

  /// The commands in RESP. They contain the password.
  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

  /// @returns further commands to send after on_reply(), which are mostly none.
  [[nodiscard]] std::string take_more() noexcept {
    return std::exchange(more_, {});
  }

  /// Judges the next reply. @returns whether it was the last one.
  /// Errors: `auth_failed` and `permission_denied`, after which another attempt
  /// does not help; `loading` and `unavailable`, after which it may help;
  /// `protocol_error`.
  outcome<bool> on_reply(const resp::reply& x);

  /// @returns the reply to CLIENT ID; 0 if the server did not permit it.
  [[nodiscard]] int64_t client_id() const noexcept {
    return client_id_;
  }

private:
  enum class step : uint8_t { auth, select, set_name, id, list, ping, kill };

  [[nodiscard]] failure on_error(step at, failure why) const;
  void kill_if_ours(std::string_view client_list);

  std::string bytes_;
  std::string more_;
  std::string client_name_;
  int64_t predecessor_ = 0;
  std::vector<step> steps_;
  size_t pos_ = 0;
  uint32_t database_ = 0;
  std::string user_;
  int64_t client_id_ = 0;
};

} // namespace pulse::redis
