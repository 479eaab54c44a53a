#include "pulse/resp/scripts.hpp"

namespace pulse::resp {

// What XADD cannot do by itself. Arguments: 1 an ID before the batch, empty for
// a first attempt; 2 how long ago it was sent; 3 MAXLEN ~ of each add; 4 hard
// limit; 5 what to do beyond it; 6 and 7 time to live; 8 window of dedup IDs;
// then per event: flags (x only if the stream exists, d has a dedup ID, which
// is the next key), the number of its fields and values, these.
//
// A repeated batch is looked for by its last field, newest entries first: what
// was stored is near the end. The search ends at the ID; or, if others have
// added very much since, at a time somewhat before the batch was sent: it must
// not keep Redis busy for seconds.
const script& add_script() {
  static constexpr script x{"add", R"lua(
local key, after, age = KEYS[1], ARGV[1], tonumber(ARGV[2])
local max_len, hard = ARGV[3], tonumber(ARGV[4])
local on_full, ttl, ttl_kind, window = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

local events, wanted, missing, next_key, i = {}, {}, 0, 2, 9
while i <= #ARGV do
  local e = {first = i + 2, last = i + 1 + tonumber(ARGV[i + 1]),
             only_if_exists = string.find(ARGV[i], 'x')}
  if string.find(ARGV[i], 'd') then
    e.dedup, next_key = KEYS[next_key], next_key + 1
  end
  events[#events + 1] = e
  wanted[ARGV[e.last]] = e
  missing = missing + 1
  i = e.last + 1
end

local function search()
  local to, seen, bytes, found = '+', 0, 0, 0
  local now = redis.call('TIME')
  local begin = now[1] * 1000 + now[2] / 1000 - age - 5000
  repeat
    local page = redis.call('XREVRANGE', key, to, '(' .. after, 'COUNT', 100)
    for _, entry in ipairs(page) do
      local fields = entry[2]
      bytes = bytes + #(fields[4] or '')
      local e = fields[#fields - 1] == 'u' and wanted[fields[#fields]]
      if e and not e.id then
        e.id, missing, found = entry[1], missing - 1, found + 1
      end
    end
    if #page < 100 or missing == 0 then break end
    seen, to = seen + 100, '(' .. page[100][1]
    local enough = seen >= 10000 or bytes >= 16777216
  until enough and tonumber(string.match(to, '%d+')) < begin
  return found
end

local function digest(e)
  local last = ARGV[e.last - 1] == 'u' and e.last - 2 or e.last
  return redis.sha1hex(last - e.first .. table.concat(ARGV, '\0', e.first, last))
end

local added, dropped = false, 0
local function add(e)
  local sum = e.dedup and digest(e)
  local known = e.dedup and redis.call('GET', e.dedup)
  if known and redis.call('EXISTS', key) == 1 then
    local id, its_sum = string.match(known, '^(%S+) (%S+)$')
    if its_sum == sum then return id end
    return redis.error_reply('DEDUPCONFLICT event ' .. id ..
                             ' has the same dedup_id and other content')
  end
  if hard > 0 then
    local length = redis.call('XLEN', key)
    if length >= hard then
      if on_full == 'reject' then
        return redis.error_reply('STREAMFULL it has ' .. length ..
                                 ' events and hard_max_len is ' .. hard)
      end
      dropped = dropped + redis.call('XTRIM', key, 'MAXLEN', '=', hard - 1)
    end
  end
  local command = {'XADD', key}
  if e.only_if_exists then command[#command + 1] = 'NOMKSTREAM' end
  if max_len ~= '0' then
    command[#command + 1] = 'MAXLEN'
    command[#command + 1] = '~'
    command[#command + 1] = max_len
  end
  command[#command + 1] = '*'
  for n = e.first, e.last do command[#command + 1] = ARGV[n] end
  local id = redis.call(unpack(command))
  if id and e.dedup then
    redis.call('SET', e.dedup, id .. ' ' .. sum, 'PX', window)
  end
  added = added or id
  return id
end

local found = after ~= '' and search() or 0
local results = {}
for n, e in ipairs(events) do results[n] = e.id or add(e) end
if added and ttl ~= '0' then
  if ttl_kind == 'sliding' then
    redis.call('PEXPIRE', key, ttl)
  else
    redis.call('PEXPIRE', key, ttl, 'NX')
  end
end
return {results, found, dropped}
)lua",
                            "f5cd3e818d33a9312e86e79585ca16119086c700"};
  return x;
}

// Arguments: 1 events to keep, 0 for no such limit; 2 their greatest age, 0
// likewise; 3 whether to spare what a group has not acknowledged. Answers how
// many went, how many are left, and who holds the oldest: the group, the age
// of the oldest event, and how long its nodes are silent (-1: it has none).
//
// XTRIM with "~" and a LIMIT removes whole nodes from the head and at most
// LIMIT entries. With the surplus as the limit it never goes below max_len,
// so that nothing has to be looked up: one XTRIM by ID does both.
const script& trim_script() {
  static constexpr script x{"trim", R"lua(
local key, max_len, max_age = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local length = redis.call('XLEN', key)
local surplus = max_len > 0 and length - max_len or 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function oldest()
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  return first and tonumber(string.match(first[1], '%d+')) or now
end
local cutoff
if max_age > 0 and oldest() < now - max_age then
  cutoff = string.format('%.0f-0', now - max_age)
end
if surplus <= 0 and not cutoff then return {0, length, '', 0, 0} end
local groups = ARGV[3] == '1' and redis.call('XINFO', 'GROUPS', key) or {}
local n = 0
if #groups == 0 then
  if surplus > 0 then
    n = redis.call('XTRIM', key, 'MAXLEN', '~', max_len, 'LIMIT', 0)
  end
  if cutoff then n = n + redis.call('XTRIM', key, 'MINID', '=', cutoff) end
  return {n, length - n, '', 0, 0}
end
local function flat_map(flat)
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  return x
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
  local x = flat_map(flat)
  local id = x['last-delivered-id']
  if x['pending'] > 0 then
    local lowest = redis.call('XPENDING', key, x['name'], '-', '+', 1)[1]
    if lowest and before(lowest[1], id) then id = lowest[1] end
  end
  if not floor or before(id, floor) then floor, holder = id, x['name'] end
end
if surplus > 0 then
  n = redis.call('XTRIM', key, 'MINID', '~', floor, 'LIMIT', surplus)
end
if cutoff then
  local id = before(cutoff, floor) and cutoff or floor
  n = n + redis.call('XTRIM', key, 'MINID', '=', id)
end
local silent = -1
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, holder)) do
  local idle = flat_map(flat)['idle']
  if silent < 0 or idle < silent then silent = idle end
end
return {n, length - n, holder, now - oldest(), silent}
)lua",
                            "4557a764ff1ee19a7eb8fbdf4af6bc076d74ed85"};
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
