-- Returns the last ID that a group delivered; "0-0" if there is no such group.
-- Needs fields.
local function last_delivered(key, group)
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local x = fields_of(flat)
    if x['name'] == group then return x['last-delivered-id'] end
  end
  return '0-0'
end
