-- Hands over pending entries that the consumer shall not hold any more. Entries
-- that failed go to the consumer "delayed", and a sorted set says when each is
-- due for its next attempt. Entries that only wait for a worker go to the
-- consumer "released", with an idle time of one lease. So none of them needs a
-- node, and any node can take them (take_over).
-- KEYS: 1 the stream, 2 the sorted set. ARGV: 1 group, 2 consumer, 3 lease in
-- ms, then ID, delivery count and pause in ms (-1: released) of each entry.
-- Entries that the consumer does not own any more are left alone. Answers how
-- many entries of the group wait, in how many ms the next one is due (-1: none
-- waits), the IDs of the entries that had been trimmed from the stream, those
-- of the entries that are pending for nobody, and how many entries are pending
-- again because somebody had deleted the consumer "delayed".
--! include assign
--! include clock
--! include delayed
--! include fields
--! include ids
--! include last_delivered
--! include next_due
--! include restore_deleted
local key, delayed, group, me = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local lease, now, trimmed, unknown, longest = ARGV[3], now_in_ms(), {}, {}, 0
local restored = restore_deleted(key, group, delayed)
for i = 4, #ARGV, 3 do
  local id, pause = ARGV[i], tonumber(ARGV[i + 2])
  if #redis.call('XPENDING', key, group, id, id, 1, me) == 1 then
    local waits = pause >= 0
    local moved = assign(key, group, waits and 'delayed' or 'released', {id},
                         {'IDLE', waits and 0 or lease,
                          'RETRYCOUNT', ARGV[i + 1]}, trimmed)
    if waits and moved == 1 then
      redis.call('ZADD', delayed, now + pause, id)
      longest = math.max(longest, pause)
    end
  elseif #redis.call('XPENDING', key, group, id, id, 1) == 0 then
    unknown[#unknown + 1] = id
  end
end
keep_longer_than(delayed, longest)
return {redis.call('ZCARD', delayed), next_due(delayed, now), trimmed, unknown,
        restored}
