-- Ends a membership: frees the partitions of a consumer, so that other members
-- take them. The consumer must have given its entries back before (release).
-- KEYS: 1 the stream, 2 the hash of members, 3 the stream that wakes members.
-- ARGV: 1 group, 2 consumer.
-- Answers how many partitions were freed, and the IDs of entries that had been
-- trimmed from the stream.
--! include assign
--! include assign_all
--! include fields
--! include wake
local key, state, wake = KEYS[1], KEYS[2], KEYS[3]
local group, me = ARGV[1], ARGV[2]
local gone, others = {}, false
for name, owner in pairs(fields_of(redis.call('HGETALL', state))) do
  if tonumber(name) and (owner == me or owner == '!' .. me) then
    gone[#gone + 1] = name
  end
  others = others or (string.sub(name, 1, 2) == 'm:' and name ~= 'm:' .. me)
end
local freed = #gone
gone[#gone + 1] = 'm:' .. me
if redis.call('HGET', state, 'sole') == me then gone[#gone + 1] = 'sole' end
redis.call('HDEL', state, unpack(gone))
-- What this member had inherited belongs to nobody now.
local trimmed = {}
assign_all(key, group, 'dead.' .. me, 'released', {}, trimmed)
if others then wake_up(wake, {'*'}) end
return {freed, trimmed}
