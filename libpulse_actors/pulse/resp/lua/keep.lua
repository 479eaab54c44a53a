-- Claims entries anew that a sink holds, but that are pending for nobody: the
-- pending list of a consumer vanishes when somebody deletes the consumer.
-- Entries that are pending for another consumer are left alone, and so are
-- those behind the position of the group, because the group still gives them
-- to somebody. KEYS: the stream. ARGV: 1 group, 2 new owner, 3 its idle time in
-- ms, 4 how many of the entries were never held by another node, then ID and
-- delivery count of each entry, those first. Other nodes may have acknowledged
-- the rest, so these are claimed only if one of the first is pending for
-- nobody, too. Answers the IDs of the claimed entries, and of those that are
-- pending for the new owner already.
--! include fields
--! include ids
--! include last_delivered
local key, group, to = KEYS[1], ARGV[1], ARGV[2]
local at, first_others = last_delivered(key, group), 5 + 2 * ARGV[4]
local kept, deleted = {}, false
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  local pending = redis.call('XPENDING', key, group, id, id, 1)[1]
  if pending then
    -- Another call may have claimed it before.
    if pending[2] == to then kept[#kept + 1] = id end
  elseif not before(at, id) and (deleted or i < first_others) then
    deleted = true
    -- This claims nothing if the entry is not in the stream any more.
    if #redis.call('XCLAIM', key, group, to, 0, id, 'IDLE', ARGV[3],
                   'RETRYCOUNT', ARGV[i + 1], 'FORCE', 'JUSTID') == 1 then
      kept[#kept + 1] = id
    end
  end
end
return kept
