-- Ends a consumer whose sink has died, so that nobody waits until its lease is
-- over. Its entries go to the consumer "dead.<consumer>", idle for one lease:
-- any member may claim them, and knows that their consumer died. The consumer
-- is deleted, and a membership in a keyed sink counts as silent for ever, so
-- that the next member that looks inherits it (share).
-- KEYS: 1 the stream, 2 the hash of members. ARGV: 1 group, 2 consumer, 3 lease
-- in ms of consumers whose names have none. Answers how many entries can be
-- claimed now, and the IDs of those that had been trimmed from the stream.
--! include leases
local key, members, group, gone = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local moved, trimmed = 0, {}
repeat
  local page = redis.call('XPENDING', key, group, '-', '+', 1000, gone)
  local claim = {'XCLAIM', key, group, 'dead.' .. gone, 0}
  for _, x in ipairs(page) do claim[#claim + 1] = x[1] end
  for _, x in ipairs({'IDLE', lease_of(gone, ARGV[3]), 'JUSTID'}) do
    claim[#claim + 1] = x
  end
  local there = {}
  if #page > 0 then
    for _, id in ipairs(redis.call(unpack(claim))) do there[id] = true end
  end
  for _, x in ipairs(page) do
    if there[x[1]] then
      moved = moved + 1
    else
      trimmed[#trimmed + 1] = x[1]
    end
  end
until #page < 1000
redis.call('XGROUP', 'DELCONSUMER', key, group, gone)
if redis.call('HGET', members, 'm:' .. gone) then
  redis.call('HSET', members, 'm:' .. gone, 0)
end
return {moved, trimmed}
