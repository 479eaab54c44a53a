-- Makes another consumer the owner of pending entries, which counts no
-- delivery. The options are those of XCLAIM. Redis drops entries that were
-- trimmed from the stream from the pending ones then; their IDs are appended
-- to `trimmed`. Returns how many entries the consumer got.
local function assign(key, group, to, ids, options, trimmed)
  if #ids == 0 then return 0 end
  local claim = {'XCLAIM', key, group, to, 0}
  for _, id in ipairs(ids) do claim[#claim + 1] = id end
  for _, x in ipairs(options) do claim[#claim + 1] = x end
  claim[#claim + 1] = 'JUSTID'
  local claimed = redis.call(unpack(claim))
  if #claimed == #ids then return #ids end
  local there = {}
  for _, id in ipairs(claimed) do there[id] = true end
  for _, id in ipairs(ids) do
    if not there[id] then trimmed[#trimmed + 1] = id end
  end
  return #claimed
end
