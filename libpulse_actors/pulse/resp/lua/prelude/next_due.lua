-- Returns in how many ms the next waiting entry is due; -1: none waits.
local function next_due(delayed, now)
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if #first == 0 then return -1 end
  return math.max(first[2] - now, 0)
end
