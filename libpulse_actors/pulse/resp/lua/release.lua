-- Gives pending entries back to the group: it assigns them to the consumer
-- "released" with an idle time of one lease, so that other nodes can claim them
-- at once. KEYS: the stream. ARGV: 1 group, 2 consumer, 3 lease in ms, 4
-- "listed" or "all", then the ID and delivery count of each listed entry. With
-- "all" it gives back all entries of the consumer, and deletes the consumer if
-- nothing is left. Answers how many entries were given back, 1 if the consumer
-- was deleted, and the IDs of the listed entries that are pending for nobody.
local key, group, me, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local all = ARGV[4] == 'all'
local counts, unknown, released = {}, {}, 0
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  counts[id] = ARGV[i + 1]
  if #redis.call('XPENDING', key, group, id, id, 1) == 0 then
    unknown[#unknown + 1] = id
  end
end
local from = '-'
repeat
  local page = redis.call('XPENDING', key, group, from, '+', 1000, me)
  for _, x in ipairs(page) do
    local n = counts[x[1]]
    if n or all then
      redis.call('XCLAIM', key, group, 'released', 0, x[1], 'IDLE', lease,
                 'RETRYCOUNT', n or x[4], 'JUSTID')
      released = released + 1
    end
  end
  if #page > 0 then from = '(' .. page[#page][1] end
until #page < 1000
local deleted = 0
if all and #redis.call('XPENDING', key, group, '-', '+', 1, me) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', key, group, me)
  deleted = 1
end
return {released, deleted, unknown}
