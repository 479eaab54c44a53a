-- Compares the entries that a group has read with the entries that its stream
-- had. So it finds entries that were trimmed before the group read them. How
-- many entries the group should have read is known only in two cases: if the
-- group is at the end of the stream, or if all entries that the group has read
-- were removed. In these cases the script corrects the group's count of read
-- entries, so that only one node reports the loss.
-- KEYS: the stream. ARGV: 1 group, 2 own consumer, 3 entries removed from the
-- stream at the last audit (-1: there was none). Answers how many events were
-- lost, "1" if that number is exact, entries removed so far, last delivered ID,
-- first and last ID of the stream, and where the entries of other consumers may
-- begin: "<id>" for that ID, "(<id>" for a higher one, "" if there are no other
-- consumers.
--! include fields
--! include ids
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local s, g = fields_of(redis.call('XINFO', 'STREAM', key)), nil
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local x = fields_of(flat)
  if x['name'] == group then g = x end
end
if not g then
  return redis.error_reply('NOGROUP No such consumer group ' .. group)
end
local at, last = g['last-delivered-id'], s['last-generated-id']
local first = s['first-entry'] and s['first-entry'][1] or last
local removed = s['entries-added'] - s['length']
local seen, should, lost, exact = g['entries-read'], nil, 0, '0'
local behind = before(at, first) or (s['length'] == 0 and at ~= last)
if at == last then should = s['entries-added']
elseif behind then should = removed end
if should and seen ~= should then
  if seen then
    lost, exact = math.max(should - seen, 0), '1'
  elseif behind then
    local known = tonumber(ARGV[3])
    if known < 0 then known = at == '0-0' and removed or 0 end
    lost = math.max(removed - known, 0)
  end
  redis.call('XGROUP', 'SETID', key, group, at, 'ENTRIESREAD', should)
end
local others, lowest_of_others = '', at
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local name = fields_of(flat)['name']
  if name ~= me then
    if others == '' then others = '(' .. at end
    local lowest = redis.call('XPENDING', key, group, '-', '+', 1, name)[1]
    if lowest and not before(lowest_of_others, lowest[1]) then
      lowest_of_others, others = lowest[1], lowest[1]
    end
  end
end
return {lost, exact, removed, at, first, last, others}
