-- The sorted set of the entries that wait for their next attempt: the members
-- are their IDs, the scores the times in ms at which they are due.
-- Returns in how many ms the next entry is due; -1: none waits.
local function next_due(delayed, now)
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  if #first == 0 then return -1 end
  return math.max(first[2] - now, 0)
end

-- The set expires some days after its last entry was due: if the group or the
-- stream was deleted, nobody needs the set any more.
local function keep_longer_than(delayed, pause)
  local needed = pause + 259200000
  if redis.call('PTTL', delayed) < needed then
    redis.call('PEXPIRE', delayed, needed)
  end
end
