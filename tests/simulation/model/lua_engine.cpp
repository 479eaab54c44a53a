#include "simulation/model/lua_engine.hpp"

#include <openssl/sha.h>

#include <array>
#include <cstdio>

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

namespace pulse::simulation {

namespace {

const char engine_key = 0;

void push(lua_State* lua, const std::string& x) {
  lua_pushlstring(lua, x.data(), x.size());
}

void push_field(lua_State* lua, const char* name, const std::string& x) {
  lua_newtable(lua);
  push(lua, x);
  lua_setfield(lua, -2, name);
}

void push(lua_State* lua, const value& x) {
  switch (x.what) {
    case value::kind::nil:
    case value::kind::nil_array:
      lua_pushboolean(lua, 0);
      break;
    case value::kind::integer:
      lua_pushnumber(lua, static_cast<lua_Number>(x.number));
      break;
    case value::kind::text:
      push(lua, x.text);
      break;
    case value::kind::status:
      push_field(lua, "ok", x.text);
      break;
    case value::kind::error:
      push_field(lua, "err", x.text);
      break;
    case value::kind::array:
      lua_createtable(lua, static_cast<int>(x.items.size()), 0);
      for (size_t i = 0; i < x.items.size(); ++i) {
        push(lua, x.items[i]);
        lua_rawseti(lua, -2, static_cast<int>(i + 1));
      }
      break;
  }
}

std::string text_at(lua_State* lua, int index) {
  if (lua_type(lua, index) == LUA_TNUMBER) {
    std::array<char, 64> buf{};
    std::snprintf(buf.data(), buf.size(), "%.17g", lua_tonumber(lua, index));
    return buf.data();
  }
  size_t size = 0;
  const auto* data = lua_tolstring(lua, index, &size);
  return data != nullptr ? std::string{data, size} : std::string{};
}

// The text of a field of the table on top, if it has it.
bool has_field(lua_State* lua, const char* name, std::string& into) {
  lua_getfield(lua, -1, name);
  const auto result = lua_isstring(lua, -1) != 0;
  if (result)
    into = text_at(lua, -1);
  lua_pop(lua, 1);
  return result;
}

// What the script answers is on top.
value value_of(lua_State* lua) {
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
      return text(text_at(lua, -1));
    case LUA_TNUMBER:
      return integer(static_cast<int64_t>(lua_tonumber(lua, -1)));
    case LUA_TBOOLEAN:
      return lua_toboolean(lua, -1) != 0 ? integer(1) : nil();
    case LUA_TTABLE:
      break;
    default:
      return nil();
  }
  std::string what;
  if (has_field(lua, "err", what))
    return error(what);
  if (has_field(lua, "ok", what))
    return status(what);
  std::vector<value> items;
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    const auto at_end = lua_isnil(lua, -1);
    if (!at_end)
      items.push_back(value_of(lua));
    lua_pop(lua, 1);
    if (at_end)
      return array(std::move(items));
  }
}

void set_global(lua_State* lua, const char* name, const lua_engine::texts& xs) {
  lua_createtable(lua, static_cast<int>(xs.size()), 0);
  for (size_t i = 0; i < xs.size(); ++i) {
    push(lua, xs[i]);
    lua_rawseti(lua, -2, static_cast<int>(i + 1));
  }
  lua_setglobal(lua, name);
}

lua_engine& engine_of(lua_State* lua) {
  lua_pushlightuserdata(lua, const_cast<char*>(&engine_key));
  lua_rawget(lua, LUA_REGISTRYINDEX);
  auto* result = static_cast<lua_engine*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return *result;
}

} // namespace

std::string sha1_of(const std::string& text) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> sum{};
  ::SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         sum.data());
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (auto x : sum) {
    result += digits[x >> 4];
    result += digits[x & 15];
  }
  return result;
}

lua_engine::lua_engine(command call)
  : call_(std::move(call)), lua_(luaL_newstate()) {
  luaL_openlibs(lua_);
  lua_pushlightuserdata(lua_, const_cast<char*>(&engine_key));
  lua_pushlightuserdata(lua_, this);
  lua_rawset(lua_, LUA_REGISTRYINDEX);
  static const luaL_Reg functions[] = {{"call", on_call},
                                       {"pcall", on_pcall},
                                       {"error_reply", on_error_reply},
                                       {"status_reply", on_status_reply},
                                       {"sha1hex", on_sha1hex},
                                       {nullptr, nullptr}};
  luaL_register(lua_, "redis", functions);
  lua_pop(lua_, 1);
}

lua_engine::~lua_engine() {
  lua_close(lua_);
}

value lua_engine::load(const std::string& source) {
  auto sha1 = sha1_of(source);
  if (loaded_.count(sha1) > 0)
    return text(sha1);
  if (luaL_loadbuffer(lua_, source.data(), source.size(), "@user_script")
      != 0) {
    auto what = text_at(lua_, -1);
    lua_pop(lua_, 1);
    return error("ERR Error compiling script (new function): " + what);
  }
  loaded_[sha1] = luaL_ref(lua_, LUA_REGISTRYINDEX);
  return text(sha1);
}

value lua_engine::run(const std::string& sha1, const texts& keys,
                      const texts& args) {
  set_global(lua_, "KEYS", keys);
  set_global(lua_, "ARGV", args);
  lua_rawgeti(lua_, LUA_REGISTRYINDEX, loaded_.at(sha1));
  const auto failed = lua_pcall(lua_, 0, 1, 0) != 0;
  auto result = value_of(lua_);
  lua_pop(lua_, 1);
  if (failed && !result.is_error())
    return error("ERR " + result.text + " script: " + sha1);
  if (failed)
    result.text += " script: " + sha1 + ", on @user_script:1.";
  return result;
}

int lua_engine::call(lua_State* lua, bool raises) {
  {
    texts args;
    for (int i = 1; i <= lua_gettop(lua); ++i)
      args.push_back(text_at(lua, i));
    const auto result = call_(args);
    push(lua, result);
    raises = raises && result.is_error();
  }
  // lua_error() jumps over destructors: none is left here.
  return raises ? lua_error(lua) : 1;
}

int lua_engine::on_call(lua_State* lua) {
  return engine_of(lua).call(lua, true);
}

int lua_engine::on_pcall(lua_State* lua) {
  return engine_of(lua).call(lua, false);
}

int lua_engine::on_error_reply(lua_State* lua) {
  push_field(lua, "err", text_at(lua, 1));
  return 1;
}

int lua_engine::on_status_reply(lua_State* lua) {
  push_field(lua, "ok", text_at(lua, 1));
  return 1;
}

int lua_engine::on_sha1hex(lua_State* lua) {
  push(lua, sha1_of(text_at(lua, 1)));
  return 1;
}

} // namespace pulse::simulation
