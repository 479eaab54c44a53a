-- Gives pending entries back to the group: it assigns them to the consumer
-- "released" with an idle time of one lease, so that other nodes can claim them
-- at once, or to "delayed" if they failed and are not due yet (see delay).
-- KEYS: 1 the stream, 2 the sorted set of waiting entries, 3 the position of
-- the group. ARGV: 1 group, 2 consumer, 3 lease in ms, 4 "listed" or "all",
-- then the ID, delivery count and pause in ms (-1: none) of each listed entry.
-- With "all" it gives back all entries of the consumer, and deletes the
-- consumer if nothing is left. If no other member is left either, the consumers
-- that are no members are deleted, too, if they hold nothing, and the position
-- is forgotten: who deletes the group now wants it to begin anew. Answers how
-- many entries were given back, 1 if the consumer was deleted, the IDs of the
-- listed entries that are pending for nobody, those of the entries that had
-- been trimmed from the stream, and how many entries are pending again because
-- somebody had deleted the consumer "delayed".
--! include assign
--! include clock
--! include delayed
--! include fields
--! include ids
--! include last_delivered
--! include leases
--! include restore_deleted
local key, delayed, group, me, lease = KEYS[1], KEYS[2], ARGV[1], ARGV[2],
                                       ARGV[3]
local all, now = ARGV[4] == 'all', now_in_ms()
local counts, pauses, unknown, trimmed, released = {}, {}, {}, {}, 0
local restored = restore_deleted(key, group, delayed)
for i = 5, #ARGV, 3 do
  local id = ARGV[i]
  counts[id], pauses[id] = ARGV[i + 1], tonumber(ARGV[i + 2])
  if #redis.call('XPENDING', key, group, id, id, 1) == 0 then
    unknown[#unknown + 1] = id
  end
end

local function give_back(id, count, pause)
  local waits = pause >= 0
  local moved = assign(key, group, waits and 'delayed' or 'released', {id},
                       {'IDLE', waits and 0 or lease, 'RETRYCOUNT', count},
                       trimmed)
  if waits and moved == 1 then
    redis.call('ZADD', delayed, now + pause, id)
    keep_longer_than(delayed, pause)
  end
  released = released + moved
end

-- Entries that have no member are pending for such consumers.
local function is_no_member(name)
  return name == 'released' or name == 'delayed'
         or string.match(name, '^key%.%d+$') or string.match(name, '^dead%.')
end

local from = '-'
repeat
  local page = redis.call('XPENDING', key, group, from, '+', 1000, me)
  for _, x in ipairs(page) do
    local n = counts[x[1]]
    if n or all then
      give_back(x[1], n or x[4], pauses[x[1]] or -1)
    end
  end
  if #page > 0 then from = '(' .. page[#page][1] end
until #page < 1000
local deleted = 0
if all and #redis.call('XPENDING', key, group, '-', '+', 1, me) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', key, group, me)
  deleted = 1
  local others, empty = false, {}
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
    local x = fields_of(flat)
    others = others or lease_of(x['name']) ~= nil
    if x['pending'] == 0 and is_no_member(x['name']) then
      empty[#empty + 1] = x['name']
    end
  end
  if not others then
    redis.call('DEL', KEYS[3])
    for _, name in ipairs(empty) do
      redis.call('XGROUP', 'DELCONSUMER', key, group, name)
      if name == 'delayed' then redis.call('DEL', delayed) end
    end
  end
end
return {released, deleted, unknown, trimmed, restored}
