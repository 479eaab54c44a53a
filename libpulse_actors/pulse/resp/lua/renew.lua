-- Keeps the leases of a consumer: resets the idle time of its pending entries.
-- KEYS: the stream. ARGV: 1 group, 2 consumer, 3 how long in ms an entry must
-- have been idle for that, 4 "1" to list what is pending. Answers how many of
-- those entries had been trimmed from the stream, and the list.

-- Shows that the consumer lives, also if it has nothing pending: it reads
-- behind the highest ID but one. The highest itself is how Redis spells ">".
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
