#include "pulse/resp/scripts.hpp"

namespace pulse::resp {

// XTRIM with "~" and a LIMIT removes whole nodes from the head and at most
// LIMIT entries. With the surplus as the limit it never goes below max_len,
// so that nothing has to be looked up: one XTRIM by ID does both.
const script& trim_script() {
  static constexpr script x{"trim", R"lua(
local key, max_len = KEYS[1], tonumber(ARGV[1])
local length = redis.call('XLEN', key)
if length <= max_len then return {0, length, ''} end
local groups = redis.call('XINFO', 'GROUPS', key)
if #groups == 0 then
  local n = redis.call('XTRIM', key, 'MAXLEN', '~', ARGV[1], 'LIMIT', 0)
  return {n, length - n, ''}
end
-- Numbers of Lua have 53 bits, IDs have 64: compare them as texts.
local function below(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
local function before(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return below(a_ms, b_ms) end
  return below(a_seq, b_seq)
end
local floor, holder
for _, flat in ipairs(groups) do
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  local id = x['last-delivered-id']
  if x['pending'] > 0 then
    local lowest = redis.call('XPENDING', key, x['name'], '-', '+', 1)[1]
    if lowest and before(lowest[1], id) then id = lowest[1] end
  end
  if not floor or before(id, floor) then floor, holder = id, x['name'] end
end
local n = redis.call('XTRIM', key, 'MINID', '~', floor, 'LIMIT',
                     length - max_len)
return {n, length - n, holder}
)lua",
                            "295fa2154ce53e8c75158fbece0dcbffa704ec1b"};
  return x;
}

const script& destroy_script() {
  static constexpr script x{"destroy", R"lua(
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'stream' and kind ~= 'none' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[1] .. ' holds a ' .. kind)
end
redis.call('UNLINK', unpack(KEYS))
return kind == 'stream' and 1 or 0
)lua",
                            "fd1f877e3eb5131caa1f820cae726df5de1fcd23"};
  return x;
}

} // namespace pulse::resp
