-- Deletes consumers that hold nothing and have been silent for a time.
-- KEYS: the stream. ARGV: 1 group, 2 own consumer, 3 that time in ms.
-- Answers how many consumers were deleted.
--! include fields
local key, group = KEYS[1], ARGV[1]
local min_idle, n = tonumber(ARGV[3]), 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local x = fields_of(flat)
  if x['name'] ~= ARGV[2] and x['pending'] == 0 and x['idle'] > min_idle then
    redis.call('XGROUP', 'DELCONSUMER', key, group, x['name'])
    n = n + 1
  end
end
return n
