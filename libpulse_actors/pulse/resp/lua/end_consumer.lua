-- Ends a consumer whose sink has died, so that nobody waits until its lease is
-- over. Its entries go to the consumer "dead.<consumer>", idle for one lease:
-- any member may claim them, and knows that their consumer died. The consumer
-- is deleted, and a membership in a keyed sink counts as silent for ever, so
-- that the next member that looks inherits it (share).
-- KEYS: 1 the stream, 2 the hash of members. ARGV: 1 group, 2 consumer, 3 lease
-- in ms of consumers whose names have none. Answers how many entries can be
-- claimed now, and the IDs of those that had been trimmed from the stream.
--! include assign
--! include assign_all
--! include leases
local key, members, group, gone = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local trimmed = {}
local moved = assign_all(key, group, gone, 'dead.' .. gone,
                         {'IDLE', lease_of(gone, ARGV[3])}, trimmed)
redis.call('XGROUP', 'DELCONSUMER', key, group, gone)
if redis.call('HGET', members, 'm:' .. gone) then
  redis.call('HSET', members, 'm:' .. gone, 0)
end
return {moved, trimmed}
