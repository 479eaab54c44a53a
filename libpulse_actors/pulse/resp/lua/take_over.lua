-- Claims entries that nobody works on: those that have been idle for the whole
-- lease of their owner, because their node died or gave them back, and those
-- that waited for their next attempt and are due now. KEYS: 1 the stream, 2 the
-- sorted set of waiting entries, 3 the one of entries that wait at their nodes.
-- ARGV: 1 group, 2 consumer, 3 lease in ms of
-- consumers whose names have none, 4 how many entries at most, 5 "all", or
-- "due" for due entries only. Answers how many entries of the group still wait,
-- in how many ms the next one is due (-1: none waits), how many entries are
-- pending again because somebody had deleted the consumer "delayed", how many
-- of the claimed entries had been trimmed from the stream, the reply of
-- XPENDING for each claimed entry, a list of the ID and the rest of the pause
-- in ms of each claimed entry that waited at its node for its next attempt, and
-- the entries, in the order of the IDs.
--! include clock
--! include delayed
--! include fields
--! include ids
--! include last_delivered
--! include leases
--! include next_due
--! include pauses
--! include restore_deleted
local key, delayed, paused = KEYS[1], KEYS[2], KEYS[3]
local group, me = ARGV[1], ARGV[2]
local lease, wanted = ARGV[3], tonumber(ARGV[4])
local now, facts = now_in_ms(), {}

-- Takes entries of a node that have been idle for its lease. Nobody owns those
-- of the consumer "released".
local function take_stale(consumer)
  local idle = consumer == 'released' and 0 or lease_of(consumer, lease)
  local page = redis.call('XPENDING', key, group, 'IDLE', idle, '-', '+',
                          wanted - #facts, consumer)
  for _, x in ipairs(page) do facts[#facts + 1] = x end
end

-- Entries that somebody acknowledged by hand wait no more. If there are very
-- many, that is found out when they are due.
local function forget_settled()
  for _, id in ipairs(redis.call('ZRANGE', delayed, 0, -1)) do
    if #redis.call('XPENDING', key, group, id, id, 1, 'delayed') == 0 then
      redis.call('ZREM', delayed, id)
    end
  end
end

-- If somebody deleted the sorted set, the entries in it would wait for ever.
local function restore(pending)
  local known = redis.call('ZCARD', delayed)
  if pending < known and known <= 10000 then forget_settled() end
  if pending <= known then return end
  local from = '-'
  repeat
    local page = redis.call('XPENDING', key, group, from, '+', 1000, 'delayed')
    for _, x in ipairs(page) do redis.call('ZADD', delayed, 'NX', now, x[1]) end
    if #page > 0 then from = '(' .. page[#page][1] end
  until #page < 1000
  keep_longer_than(delayed, 0)
end

-- An entry of the set may have been acknowledged meanwhile.
local function take_due()
  while #facts < wanted do
    local ids = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0,
                           wanted - #facts)
    if #ids == 0 then return end
    for _, id in ipairs(ids) do
      redis.call('ZREM', delayed, id)
      facts[#facts + 1] = redis.call('XPENDING', key, group, id, id, 1,
                                     'delayed')[1]
    end
  end
end

local restored = restore_deleted(key, group, delayed)
if ARGV[5] == 'all' then
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
    local x = fields_of(flat)
    if x['name'] == 'delayed' then
      restore(x['pending'])
    elseif x['name'] ~= me and x['pending'] > 0 and #facts < wanted then
      take_stale(x['name'])
    end
  end
end
take_due()
local waiting, due = redis.call('ZCARD', delayed), next_due(delayed, now)
if #facts == 0 then return {waiting, due, restored, 0, {}, {}, {}} end
table.sort(facts, function(a, b) return before(a[1], b[1]) end)
local pauses = take_pauses(facts, {paused}, paused, now)
local claim = {'XCLAIM', key, group, me, 0}
for _, x in ipairs(facts) do claim[#claim + 1] = x[1] end
local entries = redis.call(unpack(claim))
return {waiting, due, restored, #facts - #entries, facts, pauses, entries}
