#pragma once

#include "simulation/model/stream.hpp"
#include "simulation/model/value.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulse::simulation {

/// A command as its arguments.
using arguments = std::vector<std::string>;

class lua_engine;

/// What Redis 7.0 does with the commands and scripts of the library, in this
/// process and at a time that its owner decides: streams, consumer groups,
/// pending lists, and the few other keys. Scripts are not imitated: their Lua
/// runs, in the interpreter that Redis uses. A read that Redis would block
/// answers nothing at once; BLOCK is for whoever plays the network.
class redis_model {
public:
  /// @param node_size `stream-node-max-entries` of the server.
  explicit redis_model(int64_t node_size = 100);
  ~redis_model();
  redis_model(const redis_model&) = delete;
  redis_model& operator=(const redis_model&) = delete;

  /// The server's wall clock, in ms since 1970.
  int64_t now = 1'700'000'000'000;

  /// Runs one command.
  value run(const arguments& command);

  /// A stream to look at; null if there is none of that key.
  [[nodiscard]] const stream* find(const std::string& key) const;

private:
  using hash = std::map<std::string, std::string>;
  using sorted_set = std::map<std::string, double>;

  struct item {
    std::variant<std::string, hash, stream, sorted_set> content;
    std::optional<int64_t> expires_at;
  };

  // Raised by a command to answer an error.
  struct refusal {
    std::string text;
  };

  // What a read command asks for.
  struct read_request {
    std::string group;
    std::string consumer;
    std::optional<int64_t> count;
    bool acks = true;
    std::vector<std::pair<std::string, std::string>> streams;
  };

  using handler = value (redis_model::*)(const arguments&);
  static const std::map<std::string_view, handler>& handlers();

  [[noreturn]] static void refuse(std::string text);
  static int64_t to_number(const std::string& text);
  static event_id to_id(const std::string& text, uint64_t missing_seq = 0);
  static event_id range_start(const std::string& text);
  static event_id range_end(const std::string& text);
  static value entry_value(event_id id, const entry_fields& fields);

  item* item_of(const std::string& key);
  hash* hash_of(const std::string& key);
  hash& hash_at(const std::string& key);
  stream* stream_of(const std::string& key);
  stream& stream_at(const std::string& key);
  group& group_at(const std::string& key, const std::string& name,
                  const char* where);

  // keys
  value ping(const arguments& x);
  value time(const arguments& x);
  value type(const arguments& x);
  value exists(const arguments& x);
  value del(const arguments& x);
  value get(const arguments& x);
  value set(const arguments& x);
  value hget(const arguments& x);
  value hset(const arguments& x);
  value hmget(const arguments& x);
  value hgetall(const arguments& x);
  value hlen(const arguments& x);
  value hdel(const arguments& x);
  value hincrby(const arguments& x);
  value pexpire(const arguments& x);
  value persist(const arguments& x);
  value pttl(const arguments& x);
  value flushall(const arguments& x);
  // sorted sets
  sorted_set* sorted_set_of(const std::string& key);
  static std::vector<std::pair<double, std::string>>
  by_score(const sorted_set& x);
  value zadd(const arguments& x);
  value zrem(const arguments& x);
  value zremrangebyscore(const arguments& x);
  value zremrangebyrank(const arguments& x);
  value zscore(const arguments& x);
  value zcard(const arguments& x);
  value zrange(const arguments& x);
  value zrangebyscore(const arguments& x);
  // streams
  value xadd(const arguments& x);
  value xlen(const arguments& x);
  value xdel(const arguments& x);
  value xtrim(const arguments& x);
  value xrange(const arguments& x);
  value xrevrange(const arguments& x);
  value range(const arguments& x, bool backwards);
  static size_t read_trim(const arguments& x, size_t at,
                          stream::trim_rule& into, int64_t node_size);
  // reading
  value xread(const arguments& x);
  value xreadgroup(const arguments& x);
  static read_request read_of(const arguments& x);
  value read_new(stream& from, group& as, const read_request& how);
  value read_own(const stream& from, group& as, const read_request& how,
                 event_id after) const;
  // groups
  value xgroup(const arguments& x);
  value create_group(const arguments& x);
  value set_group(const arguments& x);
  value xack(const arguments& x);
  value xpending(const arguments& x);
  static value pending_summary(const group& of);
  value xclaim(const arguments& x);
  value xinfo(const arguments& x);
  static value info_stream(const stream& x);
  static value info_groups(const stream& x);
  value info_consumers(const group& x) const;
  // scripts
  value script(const arguments& x);
  value evalsha(const arguments& x);

  int64_t node_size_;
  std::map<std::string, item> items_;
  std::set<std::string> scripts_;
  std::unique_ptr<lua_engine> lua_;
};

} // namespace pulse::simulation
