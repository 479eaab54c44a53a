-- Sets the delivery counters of entries that the consumer still owns, and notes
-- which of them wait at the consumer for their next attempt.
-- KEYS: 1 the stream, 2 the sorted set of entries that wait at their consumers.
-- ARGV: 1 group, 2 consumer, then the ID, delivery count and pause in ms (-1:
-- the entry does not wait) of each entry. Answers the IDs of the entries whose
-- counter was set.
--! include clock
--! include delayed
local key, paused, group, me = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local now, set, longest = now_in_ms(), {}, -1
for i = 3, #ARGV, 3 do
  local id, pause = ARGV[i], tonumber(ARGV[i + 2])
  if #redis.call('XPENDING', key, group, id, id, 1, me) == 1 then
    redis.call('XCLAIM', key, group, me, 0, id, 'RETRYCOUNT', ARGV[i + 1],
               'JUSTID')
    if pause < 0 then
      redis.call('ZREM', paused, id)
    else
      redis.call('ZADD', paused, now + pause, id)
      longest = math.max(longest, pause)
    end
    set[#set + 1] = id
  end
end
-- Entries that were acknowledged during their pause are still in the set.
if longest >= 0 then
  redis.call('ZREMRANGEBYSCORE', paused, '-inf', now - kept)
  keep_longer_than(paused, longest)
end
return set
