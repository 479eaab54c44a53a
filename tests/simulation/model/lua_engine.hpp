#pragma once

#include "simulation/model/value.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

struct lua_State;

namespace pulse::simulation {

/// Runs scripts with Lua 5.1, the interpreter inside Redis, and gives them what
/// Redis gives: KEYS, ARGV, redis.call and its relatives.
class lua_engine {
public:
  using texts = std::vector<std::string>;
  using command = std::function<value(const texts&)>;

  /// @param call Runs the commands of scripts.
  explicit lua_engine(command call);
  ~lua_engine();
  lua_engine(const lua_engine&) = delete;
  lua_engine& operator=(const lua_engine&) = delete;

  /// Compiles a script. @returns its SHA-1, or what is wrong as an error.
  value load(const std::string& source);

  /// Runs a script that was loaded.
  value run(const std::string& sha1, const texts& keys, const texts& args);

private:
  static int on_call(lua_State* lua);
  static int on_pcall(lua_State* lua);
  static int on_error_reply(lua_State* lua);
  static int on_status_reply(lua_State* lua);
  static int on_sha1hex(lua_State* lua);
  int call(lua_State* lua, bool raises);

  command call_;
  lua_State* lua_;
  std::map<std::string, int> loaded_;
};

/// 40 lower-case hex digits.
std::string sha1_of(const std::string& text);

} // namespace pulse::simulation
