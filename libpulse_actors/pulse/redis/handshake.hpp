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

/// What a new connection says first, in one piece: AUTH, SELECT, CLIENT
/// SETNAME, CLIENT ID, PING; and what the replies mean.
///
/// A connection that was given up may still be there for the server, or for a
/// proxy between: commands that are under way on it would be executed after we
/// repeated them. So its successor ends it first, with CLIENT KILL. Whoever is
/// not permitted to do that does without.
class handshake {
public:
  /// @param client_name Unique: nobody else may have it. Bytes that CLIENT
  /// SETNAME does not take are replaced.
  /// @param predecessor CLIENT ID of the last connection of that name; 0: none.
  handshake(const endpoint& to, std::string_view client_name,
            int64_t predecessor = 0);

  /// The commands in RESP. They contain the password.
  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

  /// What to say besides, after on_reply(); mostly nothing.
  [[nodiscard]] std::string take_more() noexcept {
    return std::exchange(more_, {});
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
