-- The sorted set of the entries that wait for their next attempt: the members
-- are their IDs, the scores the times in ms at which they are due. It expires
-- some days after its last entry was due: if the group or the stream was
-- deleted, nobody needs the set any more.
local kept = 259200000

local function keep_longer_than(delayed, pause)
  local needed = pause + kept
  if redis.call('PTTL', delayed) < needed then
    redis.call('PEXPIRE', delayed, needed)
  end
end
