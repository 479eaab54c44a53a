#include "pulse/resp/sink_scripts.hpp"

namespace pulse::resp {

// The highest ID but one: the highest itself is how Redis spells ">".
const script& renew_script() {
  static constexpr script x{"renew", R"lua(
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', key,
           '18446744073709551615-18446744073709551614')
local from, trimmed = '-', 0
repeat
  local page = redis.call('XPENDING', key, group, 'IDLE', ARGV[3], from, '+',
                          1000, me)
  if #page > 0 then
    local claim = {'XCLAIM', key, group, me, 0}
    for _, x in ipairs(page) do claim[#claim + 1] = x[1] end
    claim[#claim + 1] = 'JUSTID'
    trimmed = trimmed + #page - #redis.call(unpack(claim))
    from = '(' .. page[#page][1]
  end
until #page < 1000
local ids = {}
if ARGV[4] == '1' then
  from = '-'
  repeat
    local page = redis.call('XPENDING', key, group, from, '+', 1000, me)
    for _, x in ipairs(page) do ids[#ids + 1] = x[1] end
    if #page > 0 then from = '(' .. page[#page][1] end
  until #page < 1000
end
return {trimmed, ids}
)lua",
                            "5c528fe55d26d9942a841425236cbef02743a890"};
  return x;
}

const script& take_over_script() {
  static constexpr script x{"take_over", R"lua(
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local wanted = tonumber(ARGV[4])
local claim, facts = {'XCLAIM', key, group, me, ARGV[3]}, {}
local from = '-'
repeat
  local page = redis.call('XPENDING', key, group, 'IDLE', ARGV[3], from, '+',
                          wanted)
  for _, x in ipairs(page) do
    if x[2] ~= me and #facts < wanted then
      facts[#facts + 1] = x
      claim[#claim + 1] = x[1]
    end
  end
  if #page > 0 then from = '(' .. page[#page][1] end
until #page < wanted or #facts >= wanted
if #facts == 0 then return {0, {}, {}} end
local entries = redis.call(unpack(claim))
return {#facts - #entries, facts, entries}
)lua",
                            "190d32a2d9d0cab994bdfe02483badb69aee2742"};
  return x;
}

const script& release_script() {
#ifdef PULSE_BREAK_DELETE_CONSUMER // tests/chaos: must be found to lose events
  static constexpr script broken{"release", R"lua(
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return {0, 1}
)lua",
                                 "5c0d1f0a2f247d44049ff6488e8fef8c539fe24e"};
  return broken;
#endif
  static constexpr script x{"release", R"lua(
local key, group, me, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local all = ARGV[4] == 'all'
local counts, released = {}, 0
for i = 5, #ARGV, 2 do counts[ARGV[i]] = ARGV[i + 1] end
local from = '-'
repeat
  local page = redis.call('XPENDING', key, group, from, '+', 1000, me)
  for _, x in ipairs(page) do
    local n = counts[x[1]]
    if n or all then
      redis.call('XCLAIM', key, group, 'released', 0, x[1], 'IDLE', lease,
                 'RETRYCOUNT', n or x[4], 'JUSTID')
      released = released + 1
    end
  end
  if #page > 0 then from = '(' .. page[#page][1] end
until #page < 1000
local deleted = 0
if all and #redis.call('XPENDING', key, group, '-', '+', 1, me) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', key, group, me)
  deleted = 1
end
return {released, deleted}
)lua",
                            "8c93883c19689b62d6e6897199f83b8abdbdd931"};
  return x;
}

const script& count_script() {
  static constexpr script x{"count", R"lua(
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local set = {}
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  if #redis.call('XPENDING', key, group, id, id, 1, me) == 1 then
    redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', ARGV[i + 1],
               'JUSTID')
    set[#set + 1] = id
  end
end
return set
)lua",
                            "664d7ab0dbbc5bb3524106db87782edd5d07a534"};
  return x;
}

const script& clean_consumers_script() {
  static constexpr script x{"clean_consumers", R"lua(
local key, group = KEYS[1], ARGV[1]
local min_idle, n = tonumber(ARGV[3]), 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  if x['name'] ~= ARGV[2] and x['pending'] == 0 and x['idle'] > min_idle then
    redis.call('XGROUP', 'DELCONSUMER', key, group, x['name'])
    n = n + 1
  end
end
return n
)lua",
                            "85f633cab690bb6a1e5bbb39358632d2893441a1"};
  return x;
}

// Numbers of Lua have 53 bits, IDs have 64: compared as texts.
const script& audit_script() {
  static constexpr script x{"audit", R"lua(
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
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
local function map(flat)
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  return x
end
local s, g = map(redis.call('XINFO', 'STREAM', key)), nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local x = map(flat)
  if x['name'] == group then g = x end
end
if not g then
  return redis.error_reply('NOGROUP No such consumer group ' .. group)
end
local at, last = g['last-delivered-id'], s['last-generated-id']
local first = s['first-entry'] and s['first-entry'][1] or last
local removed = s['entries-added'] - s['length']
local seen, should, lost, exact = g['entries-read'], nil, 0, '0'
local behind = before(at, first) or (s['length'] == 0 and at ~= last)
if at == last then should = s['entries-added']
elseif behind then should = removed end
if should and seen ~= should then
  if seen then
    lost, exact = math.max(should - seen, 0), '1'
  elseif behind then
    local known = tonumber(ARGV[3])
    if known < 0 then known = at == '0-0' and removed or 0 end
    lost = math.max(removed - known, 0)
  end
  redis.call('XGROUP', 'SETID', key, group, at, 'ENTRIESREAD', should)
end
local others, lowest_of_others = '', at
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local name = map(flat)['name']
  if name ~= me then
    if others == '' then others = '(' .. at end
    local lowest = redis.call('XPENDING', key, group, '-', '+', 1, name)[1]
    if lowest and not before(lowest_of_others, lowest[1]) then
      lowest_of_others, others = lowest[1], lowest[1]
    end
  end
end
return {lost, exact, removed, at, first, last, others}
)lua",
                            "c1ead2298bf109a325f1e1d70f5b89295c943684"};
  return x;
}

} // namespace pulse::resp
