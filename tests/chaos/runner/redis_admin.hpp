#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

struct redisReply;

namespace pulse::chaos {

using reply_holder = std::shared_ptr<const redisReply>;

/// Talks to Redis beside the library, on its Unix socket and without the proxy:
/// a connection per call, half a second of patience.
class redis_admin {
public:
  explicit redis_admin(std::string socket_path)
    : socket_path_(std::move(socket_path)) {
    // nop
  }

  /// @returns null if Redis is away.
  [[nodiscard]] reply_holder
  operator()(const std::vector<std::string>& command) const;

  /// @returns the number that a command answers, -1 if there is none.
  [[nodiscard]] int64_t number(const std::vector<std::string>& command) const;

  /// An entry of a stream: its ID, and a field's value.
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
    /// ID of the last event that it was given.
    std::string last_delivered;
  };
  [[nodiscard]] std::vector<group> groups(const std::string& key) const;

  /// Whether a group was given all of its stream. Redis' own `lag` is not to be
  /// relied on: it stays too high after a restart in the middle of reading.
  [[nodiscard]] bool is_through(const std::string& key, const group& x) const;

private:
  std::string socket_path_;
};

} // namespace pulse::chaos
