-- Describes a stream and a group of it at one moment. How many entries the
-- stream had up to the position of the group is known only in two cases: if the
-- group is at the end of the stream, or if all these entries were removed. In
-- these cases the script corrects the group's count of read entries, so that
-- only one node finds the difference. At the first audit of a sink a difference
-- at the end of the stream is left to the other nodes, which know more.
-- The script also stores where the group would have to begin again if somebody
-- deleted it, for members that join at that moment (open_group).
-- KEYS: 1 the stream, 2 the position of the group, 3 the hash of members of a
-- keyed sink. ARGV: 1 group, 2 own
-- consumer, 3 the last entry that the sink read, 4 "1" if the sink has audited
-- the group before, 5 "1" to set the count of read entries also if it is right,
-- 6 the ID after which the group would have to begin again at the latest,
-- because of the entries that the sink holds, 7 for how many ms that is stored,
-- 8 "1" to count the members that are keyed.
-- Answers length, entries added,
-- first and last ID, highest ID that XDEL removed; of the group: last delivered
-- ID, its count of read entries before the correction (-1: Redis does not know
-- it), the right count (-1: not known), 1 if the script corrected the count; 1
-- if the stream has entry 3; and where the entries of other consumers may
-- begin: "<id>" for that ID, "(<id>" for a higher one, "" if there are no other
-- consumers; how many entries are pending for the own consumer, and the lowest
-- of them ("": none is); and how many members are keyed.
--! include clock
--! include fields
--! include ids
--! include just_before
--! include leases
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local s, g = fields_of(redis.call('XINFO', 'STREAM', key)), nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local x = fields_of(flat)
  if x['name'] == group then g = x end
end
if not g then
  return redis.error_reply('NOGROUP No such consumer group ' .. group)
end
local at, last, length = g['last-delivered-id'], s['last-generated-id'],
                         s['length']
local first, added = '0-0', s['entries-added']
if s['first-entry'] then first = s['first-entry'][1] end
local behind = before(at, last) and (length == 0 or before(at, first))
local read, right, corrected = g['entries-read'] or -1, -1, 0
if at == last then right = added elseif behind then right = added - length end
if right >= 0 and read ~= right
    and (behind or read < 0 or ARGV[4] == '1') then
  corrected = 1
end
local count = corrected == 1 and right or read
if corrected == 1 or (ARGV[5] == '1' and count >= 0) then
  redis.call('XGROUP', 'SETID', key, group, at, 'ENTRIESREAD', count)
end
local others, lowest_of_others, own, lowest_own = '', at, 0, ''
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local x = fields_of(flat)
  local name = x['name']
  if name == me then
    own = x['pending']
    local lowest = redis.call('XPENDING', key, group, '-', '+', 1, me)[1]
    if lowest then lowest_own = lowest[1] end
  else
    if others == '' then others = '(' .. at end
    local lowest = redis.call('XPENDING', key, group, '-', '+', 1, name)[1]
    if lowest and not before(lowest_of_others, lowest[1]) then
      lowest_of_others, others = lowest[1], lowest[1]
    end
  end
end
-- Keyed members note the time of their calls, see share.
local keyed = 0
if ARGV[8] == '1' then
  local now = now_in_ms()
  for name, called in pairs(fields_of(redis.call('HGETALL', KEYS[3]))) do
    local consumer = string.match(name, '^m:(.+)$')
    if consumer and now - called < lease_of(consumer, 0) then
      keyed = keyed + 1
    end
  end
end
local lowest, again = redis.call('XPENDING', key, group)[2], at
if lowest then again = just_before(lowest) end
if before(ARGV[6], again) then again = ARGV[6] end
local position, kept = KEYS[2], tonumber(ARGV[7])
-- Most of the time nothing has changed on a stream.
if redis.call('GET', position) ~= again
    or redis.call('PTTL', position) < kept / 2 then
  redis.call('SET', position, again, 'PX', kept)
end
return {length, added, first, last, s['max-deleted-entry-id'], at, read, right,
        corrected, #redis.call('XRANGE', key, ARGV[3], ARGV[3]), others, own,
        lowest_own, keyed}
