-- An entry that failed and stays at its member until its next attempt is in a
-- sorted set of its own, "paused". So if the node dies meanwhile, the next one
-- knows that no worker had the entry, and how long the pause still lasts.

-- Returns a flat list of the IDs and the rests of the pauses in ms of those
-- claimed entries that waited for their next attempt; 0: the pause is over. It
-- takes the entries out of the sets. An entry whose pause is not over waits at
-- its new member, so the entry is in "paused" afterwards. Needs delayed.
local function take_pauses(facts, sets, paused, now)
  local result, due_at = {}, {}
  for _, set in ipairs(sets) do
    if redis.call('EXISTS', set) == 1 then
      for _, x in ipairs(facts) do
        local due = redis.call('ZSCORE', set, x[1])
        if due then
          redis.call('ZREM', set, x[1])
          due_at[x[1]] = due
        end
      end
    end
  end
  for _, x in ipairs(facts) do
    local due = due_at[x[1]]
    if due then
      local rest = math.max(due - now, 0)
      if rest > 0 then
        redis.call('ZADD', paused, due, x[1])
        keep_longer_than(paused, rest)
      end
      result[#result + 1] = x[1]
      result[#result + 1] = rest
    end
  end
  return result
end

