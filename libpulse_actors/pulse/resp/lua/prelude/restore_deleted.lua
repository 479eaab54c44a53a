-- If somebody deletes the consumer "delayed", its entries are pending for
-- nobody any more, but the sorted set still names them. Makes them pending
-- again, each with one failure, since their counts are lost. Entries that are
-- pending for somebody are left alone, and so are those behind the position of
-- the group, because the group still gives them to somebody. Returns how many
-- entries are pending again. Needs fields, ids and
-- last_delivered.
local function restore_deleted(key, group, delayed)
  if redis.call('ZCARD', delayed) == 0 then return 0 end
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
    if fields_of(flat)['name'] == 'delayed' then return 0 end
  end
  local at, from, restored = last_delivered(key, group), 0, 0
  repeat
    local ids = redis.call('ZRANGE', delayed, from, from + 999)
    -- No entry that is pending for somebody has been idle for so long.
    local claim = {'XCLAIM', key, group, 'delayed', 1000000000000000}
    for _, id in ipairs(ids) do
      if not before(at, id) then claim[#claim + 1] = id end
    end
    if #claim > 5 then
      local options = {'IDLE', 0, 'RETRYCOUNT', 100001, 'FORCE', 'JUSTID'}
      for _, x in ipairs(options) do claim[#claim + 1] = x end
      restored = restored + #redis.call(unpack(claim))
    end
    from = from + #ids
  until #ids < 1000
  return restored
end
