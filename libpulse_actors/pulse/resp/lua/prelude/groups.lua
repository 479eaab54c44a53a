-- Returns the ID before which all groups have acknowledged everything, the
-- group that needs the oldest event, and whether all groups have acknowledged
-- the event with that ID, too; nil if the stream has no group. Events that a
-- group has not read count as not acknowledged. Needs fields and ids.
local function acknowledged_before(key)
  local floor, holder, inclusive
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local x = fields_of(flat)
    local id, done = x['last-delivered-id'], true
    if x['pending'] > 0 then
      local lowest = redis.call('XPENDING', key, x['name'], '-', '+', 1)[1]
      if lowest and not before(id, lowest[1]) then
        id, done = lowest[1], false
      end
    end
    if not floor or before(id, floor) then
      floor, holder, inclusive = id, x['name'], done
    elseif id == floor then
      inclusive = inclusive and done
    end
  end
  return floor, holder, inclusive
end
