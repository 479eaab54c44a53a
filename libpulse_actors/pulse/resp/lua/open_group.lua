-- Creates a group unless there is one. If members had the group a short time
-- ago (see audit), somebody deleted it. Then it begins again where it was, and
-- not where a new group begins.
-- KEYS: 1 the stream, 2 the position of the group. ARGV: 1 group, 2 ID after
-- which a new group begins, or "$". Answers the ID after which a deleted group
-- was created again ("": it was not), the last ID that the group delivered, and
-- the lowest ID that is pending ("": none is).
--! include fields
--! include ids
local key, group, known = KEYS[1], ARGV[1], redis.call('GET', KEYS[2])
if known then
  local info = redis.pcall('XINFO', 'STREAM', key)
  -- The stream was deleted, too.
  if info['err'] or before(fields_of(info)['last-generated-id'], known) then
    known = false
  end
end
local created = redis.pcall('XGROUP', 'CREATE', key, group, known or ARGV[2],
                            'MKSTREAM')
if created['err'] then
  if string.find(created['err'], 'BUSYGROUP', 1, true) == nil then
    return created
  end
  known = false
end
local delivered = '0-0'
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local x = fields_of(flat)
  if x['name'] == group then delivered = x['last-delivered-id'] end
end
return {known or '', delivered, redis.call('XPENDING', key, group)[2] or ''}
