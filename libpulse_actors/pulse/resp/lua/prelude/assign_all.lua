-- Makes another consumer the owner of all pending entries of a consumer.
-- Returns how many entries it got. Needs assign.
local function assign_all(key, group, from, to, options, trimmed)
  local moved = 0
  repeat
    local page, ids = redis.call('XPENDING', key, group, '-', '+', 1000, from),
                      {}
    for i, x in ipairs(page) do ids[i] = x[1] end
    moved = moved + assign(key, group, to, ids, options, trimmed)
  until #page < 1000
  return moved
end
