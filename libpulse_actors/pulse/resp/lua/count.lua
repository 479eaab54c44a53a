-- Sets the delivery counters of entries that the consumer still owns.
-- KEYS: the stream. ARGV: 1 group, 2 consumer, then the ID and delivery count
-- of each entry. Answers the IDs of the entries whose counter was set.
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
