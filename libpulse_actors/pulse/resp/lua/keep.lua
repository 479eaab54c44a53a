-- Claims entries anew that a sink holds, but that are pending for nobody: the
-- pending list of a consumer vanishes when somebody deletes the consumer.
-- Entries that are pending for another consumer are left alone, and so are
-- those behind the position of the group, because the group still gives them
-- to somebody, and those that nodes acknowledged that had lost them.
-- KEYS: 1 the stream, 2 the sorted set of entries that were acknowledged late.
-- ARGV: 1 group, 2 new owner, 3 its idle time in ms, 4 how many of the entries
-- no other node can have acknowledged in time, then ID and delivery count of
-- each entry, those first. The rest is claimed only if one of the first is
-- pending for nobody, too. Answers the IDs of the claimed entries, and of those
-- that are pending for the new owner already.
--! include fields
--! include ids
--! include last_delivered
local key, late, group, to = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local at, first_others = last_delivered(key, group), 5 + 2 * ARGV[4]
local kept, deleted = {}, false
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  local pending = redis.call('XPENDING', key, group, id, id, 1)[1]
  if pending then
    -- Another call may have claimed it before.
    if pending[2] == to then kept[#kept + 1] = id end
  elseif not before(at, id) and (deleted or i < first_others)
         and not redis.call('ZSCORE', late, id) then
    deleted = true
    -- This claims nothing if the entry is not in the stream any more.
    if #redis.call('XCLAIM', key, group, to, 0, id, 'IDLE', ARGV[3],
                   'RETRYCOUNT', ARGV[i + 1], 'FORCE', 'JUSTID') == 1 then
      kept[#kept + 1] = id
    end
  end
end
return kept
