#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

struct redisReply;

namespace pulse::chaos {

using reply_holder = std::shared_ptr<const redisReply>;

/// Sends commands to Redis without the library and without the proxy, on its
/// Unix socket. Each call uses a new connection and waits for at most half a
/// second.
class redis_admin {
public:
  explicit redis_admin(std::string socket_path)
    : socket_path_(std::move(socket_path)) {
    // nop
  }

  /// @returns null if Redis is away.
  [[nodiscard]] reply_holder
  operator()(const std::vector<std::string>& command) const;

  /// @returns the number that a command answers; -1 if it answers none.
  [[nodiscard]] int64_t number(const std::vector<std::string>& command) const;

  /// @returns the texts that a command answers; empty if it answers none.
  [[nodiscard]] std::vector<std::string>
  texts(const std::vector<std::string>& command) const;

  /// Gets the ID and the field "p" of an entry.
  using visitor
    = std::function<void(const std::string& id, const std::string& payload)>;

  /// Visits all entries of a stream with their field "p". @returns false if
  /// Redis went away.
  [[nodiscard]] bool scan(const std::string& key, const visitor& visit) const;

  /// @returns the ID of the first entry of an XRANGE reply; empty if there is
  /// none.
  [[nodiscard]] static std::string first_id(const redisReply& entries);

  struct group {
    std::string name;
    int64_t pending = 0;
    int64_t lag = -1;
    int64_t consumers = 0;
    /// The ID of the last event that the group was given.
    std::string last_delivered;
  };
  [[nodiscard]] std::vector<group> groups(const std::string& key) const;

  /// @returns the names of the consumers of a group.
  [[nodiscard]] std::vector<std::string>
  consumers(const std::string& key, const std::string& group) const;

  /// @returns whether a group was given all events of its stream. The `lag`
  /// that Redis reports cannot be used, because it may be too high after a
  /// restart.
  [[nodiscard]] bool is_through(const std::string& key, const group& x) const;

private:
  std::string socket_path_;
};

} // namespace pulse::chaos
