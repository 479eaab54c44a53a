#include "simulation/model/redis_model.hpp"

#include "simulation/model/lua_engine.hpp"

#include <charconv>
#include <stdexcept>

// The table of commands, and those on keys that are no streams.

namespace pulse::simulation {

redis_model::redis_model(int64_t node_size)
  : node_size_(node_size),
    lua_(std::make_unique<lua_engine>(
      [this](const arguments& x) { return run(x); })) {
  // nop
}

redis_model::~redis_model() = default;

const std::map<std::string_view, redis_model::handler>&
redis_model::handlers() {
  using self = redis_model;
  static const std::map<std::string_view, handler> result{
    {"PING", &self::ping},
    {"TIME", &self::time},
    {"TYPE", &self::type},
    {"EXISTS", &self::exists},
    {"DEL", &self::del},
    {"UNLINK", &self::del},
    {"GET", &self::get},
    {"SET", &self::set},
    {"HGET", &self::hget},
    {"HSET", &self::hset},
    {"HMGET", &self::hmget},
    {"HGETALL", &self::hgetall},
    {"HLEN", &self::hlen},
    {"HDEL", &self::hdel},
    {"HINCRBY", &self::hincrby},
    {"PERSIST", &self::persist},
    {"PTTL", &self::pttl},
    {"PEXPIRE", &self::pexpire},
    {"FLUSHALL", &self::flushall},
    {"ZADD", &self::zadd},
    {"ZREM", &self::zrem},
    {"ZREMRANGEBYSCORE", &self::zremrangebyscore},
    {"ZREMRANGEBYRANK", &self::zremrangebyrank},
    {"ZSCORE", &self::zscore},
    {"ZCARD", &self::zcard},
    {"ZRANGE", &self::zrange},
    {"ZRANGEBYSCORE", &self::zrangebyscore},
    {"XADD", &self::xadd},
    {"XLEN", &self::xlen},
    {"XDEL", &self::xdel},
    {"XTRIM", &self::xtrim},
    {"XRANGE", &self::xrange},
    {"XREVRANGE", &self::xrevrange},
    {"XREAD", &self::xread},
    {"XREADGROUP", &self::xreadgroup},
    {"XGROUP", &self::xgroup},
    {"XACK", &self::xack},
    {"XPENDING", &self::xpending},
    {"XCLAIM", &self::xclaim},
    {"XINFO", &self::xinfo},
    {"SCRIPT", &self::script},
    {"EVALSHA", &self::evalsha},
  };
  return result;
}

value redis_model::run(const arguments& command) {
  const auto i = handlers().find(command.at(0));
  if (i == handlers().end())
    return error("ERR unknown command '" + command[0] + "'");
  try {
    return (this->*i->second)(command);
  } catch (const refusal& x) {
    return error(x.text);
  } catch (const std::out_of_range&) {
    return error("ERR syntax error");
  }
}

void redis_model::refuse(std::string text) {
  throw refusal{std::move(text)};
}

int64_t redis_model::to_number(const std::string& text) {
  int64_t result = 0;
  const auto* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, result);
  if (code != std::errc{} || at != end)
    refuse("ERR value is not an integer or out of range");
  return result;
}

redis_model::item* redis_model::item_of(const std::string& key) {
  const auto i = items_.find(key);
  if (i == items_.end())
    return nullptr;
  if (i->second.expires_at && *i->second.expires_at <= now) {
    items_.erase(i);
    return nullptr;
  }
  return &i->second;
}

value redis_model::ping(const arguments&) {
  return status("PONG");
}

value redis_model::time(const arguments&) {
  return array({text(std::to_string(now / 1000)),
                text(std::to_string(now % 1000 * 1000))});
}

value redis_model::type(const arguments& x) {
  const auto* at = item_of(x.at(1));
  static constexpr const char* names[] = {"string", "hash", "stream", "zset"};
  return status(at == nullptr ? "none" : names[at->content.index()]);
}

value redis_model::exists(const arguments& x) {
  int64_t result = 0;
  for (size_t i = 1; i < x.size(); ++i)
    result += item_of(x[i]) != nullptr ? 1 : 0;
  return integer(result);
}

value redis_model::del(const arguments& x) {
  const auto result = exists(x);
  for (size_t i = 1; i < x.size(); ++i)
    items_.erase(x[i]);
  return result;
}

value redis_model::get(const arguments& x) {
  const auto* at = item_of(x.at(1));
  if (at == nullptr)
    return nil();
  const auto* found = std::get_if<std::string>(&at->content);
  return found != nullptr
           ? text(*found)
           : error("WRONGTYPE Operation against a key holding the wrong kind "
                   "of value");
}

value redis_model::set(const arguments& x) {
  item fresh{x.at(2), std::nullopt};
  if (x.size() == 5 && x[3] == "PX")
    fresh.expires_at = now + to_number(x[4]);
  items_.insert_or_assign(x[1], std::move(fresh));
  return status("OK");
}

redis_model::hash* redis_model::hash_of(const std::string& key) {
  auto* at = item_of(key);
  if (at == nullptr)
    return nullptr;
  auto* result = std::get_if<hash>(&at->content);
  if (result == nullptr)
    refuse("WRONGTYPE Operation against a key holding the wrong kind of value");
  return result;
}

redis_model::hash& redis_model::hash_at(const std::string& key) {
  if (hash_of(key) == nullptr)
    items_.emplace(key, item{hash{}, std::nullopt});
  return *hash_of(key);
}

value redis_model::hget(const arguments& x) {
  return hmget(x).items.at(0);
}

value redis_model::hmget(const arguments& x) {
  const auto* fields = hash_of(x.at(1));
  std::vector<value> result;
  for (size_t i = 2; i < x.size(); ++i) {
    const auto found = fields != nullptr && fields->count(x[i]) > 0;
    result.push_back(found ? text(fields->at(x[i])) : nil());
  }
  return array(std::move(result));
}

value redis_model::hgetall(const arguments& x) {
  std::vector<value> result;
  if (const auto* fields = hash_of(x.at(1)))
    for (const auto& [name, content] : *fields) {
      result.push_back(text(name));
      result.push_back(text(content));
    }
  return array(std::move(result));
}

value redis_model::hlen(const arguments& x) {
  const auto* fields = hash_of(x.at(1));
  return integer(fields != nullptr ? static_cast<int64_t>(fields->size()) : 0);
}

value redis_model::hset(const arguments& x) {
  auto& fields = hash_at(x.at(1));
  int64_t fresh = 0;
  for (size_t i = 2; i < x.size(); i += 2)
    fresh += fields.insert_or_assign(x[i], x.at(i + 1)).second ? 1 : 0;
  return integer(fresh);
}

value redis_model::hdel(const arguments& x) {
  auto* fields = hash_of(x.at(1));
  size_t result = 0;
  for (size_t i = 2; i < x.size(); ++i)
    result += fields != nullptr ? fields->erase(x[i]) : 0;
  if (fields != nullptr && fields->empty())
    items_.erase(x[1]);
  return integer(static_cast<int64_t>(result));
}

value redis_model::hincrby(const arguments& x) {
  auto& content = hash_at(x.at(1))[x.at(2)];
  const auto sum = (content.empty() ? 0 : to_number(content))
                   + to_number(x.at(3));
  content = std::to_string(sum);
  return integer(sum);
}

value redis_model::persist(const arguments& x) {
  auto* at = item_of(x.at(1));
  if (at == nullptr || !at->expires_at)
    return integer(0);
  at->expires_at.reset();
  return integer(1);
}

value redis_model::pttl(const arguments& x) {
  const auto* at = item_of(x.at(1));
  if (at == nullptr)
    return integer(-2);
  return integer(at->expires_at ? *at->expires_at - now : -1);
}

value redis_model::pexpire(const arguments& x) {
  auto* at = item_of(x.at(1));
  const auto only_first = x.size() > 3 && x[3] == "NX";
  if (at == nullptr || (only_first && at->expires_at))
    return integer(0);
  at->expires_at = now + to_number(x.at(2));
  return integer(1);
}

value redis_model::flushall(const arguments&) {
  items_.clear();
  return status("OK");
}

value redis_model::script(const arguments& x) {
  if (x.at(1) == "FLUSH") {
    scripts_.clear();
    return status("OK");
  }
  auto result = lua_->load(x.at(2));
  if (!result.is_error())
    scripts_.insert(result.text);
  return result;
}

value redis_model::evalsha(const arguments& x) {
  if (scripts_.count(x.at(1)) == 0)
    refuse("NOSCRIPT No matching script. Please use EVAL.");
  const auto keys = x.begin() + 3 + to_number(x.at(2));
  return lua_->run(x[1], {x.begin() + 3, keys}, {keys, x.end()});
}

} // namespace pulse::simulation
