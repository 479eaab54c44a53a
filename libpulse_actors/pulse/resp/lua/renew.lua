-- Renews the leases of a consumer: sets the idle time of its pending entries
-- to 0. KEYS: the stream. ARGV: 1 group, 2 consumer, 3 for how many ms an entry
-- must have been idle, 4 "1" to list all pending entries of the consumer.
-- Answers how many of the renewed entries had been trimmed from the stream, and
-- the list.

-- This read shows that the consumer is alive, also if it has no pending
-- entries. It returns nothing, because it begins after the second highest ID.
-- The highest ID cannot be used, because Redis uses it internally for ">".
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', key,
           '18446744073709551615-18446744073709551614')
local from, trimmed = '-', 0
repeat
  local page = redis.call('XPENDING', key, group, 'IDLE', ARGV[3], from, '+',
                          1000, me)
  if #page > 0 then
    local claim = {'XCLAIM', key, group, me, 0}
    for _, x in ipairs(page) do claim[#claim + 1] = x[1] end
    claim[#claim + 1] = 'JUSTID'
    trimmed = trimmed + #page - #redis.call(unpack(claim))
    from = '(' .. page[#page][1]
  end
until #page < 1000
local ids = {}
if ARGV[4] == '1' then
  from = '-'
  repeat
    local page = redis.call('XPENDING', key, group, from, '+', 1000, me)
    for _, x in ipairs(page) do ids[#ids + 1] = x[1] end
    if #page > 0 then from = '(' .. page[#page][1] end
  until #page < 1000
end
return {trimmed, ids}
