-- Deletes consumers that hold nothing and have been silent for three leases.
-- KEYS: 1 the stream, 2 the sorted set of waiting entries. ARGV: 1 group, 2 own
-- consumer, 3 lease in ms of consumers whose names have none.
-- Answers how many consumers were deleted.
--! include fields
--! include leases
local key, delayed, group = KEYS[1], KEYS[2], ARGV[1]
local n = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local x = fields_of(flat)
  if x['name'] ~= ARGV[2] and x['pending'] == 0
    and x['idle'] > 3 * lease_of(x['name'], ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', key, group, x['name'])
    if x['name'] == 'delayed' then redis.call('DEL', delayed) end
    n = n + 1
  end
end
return n
