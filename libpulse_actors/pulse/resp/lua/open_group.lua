-- Creates a group unless there is one. If members had the group a short time
-- ago (see audit), somebody deleted it. Then it begins again where it was, and
-- not where a new group begins.
-- KEYS: 1 the stream, 2 the position of the group, 3 the sorted set of waiting
-- entries, 4 the one of entries that were acknowledged late; a new group
-- delivers both anyway. ARGV: 1 group, 2 ID after which a new group begins, or
-- "$". Answers the ID after which a deleted group was created again ("": it was
-- not), the last ID that the group delivered, and the lowest ID that is pending
-- ("": none is).
--! include fields
--! include ids
--! include last_delivered
local key, group, again = KEYS[1], ARGV[1], ''
local created = redis.pcall('XGROUP', 'CREATE', key, group, ARGV[2], 'MKSTREAM')
if not created['err'] then
  redis.call('DEL', KEYS[3], KEYS[4])
  local known = redis.call('GET', KEYS[2])
  if known then
    local stream = fields_of(redis.call('XINFO', 'STREAM', key))
    -- If the stream was deleted, too, nothing is known about the new one.
    if not before(stream['last-generated-id'], known) then
      redis.call('XGROUP', 'SETID', key, group, known)
      again = known
    end
  end
elseif string.find(created['err'], 'BUSYGROUP', 1, true) == nil then
  return created
end
return {again, last_delivered(key, group),
        redis.call('XPENDING', key, group)[2] or ''}
