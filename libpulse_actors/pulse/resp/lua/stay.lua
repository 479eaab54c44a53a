-- Renews memberships of a keyed sink, in many streams at once, where nothing
-- has changed since this member called share last: a further call would bring
-- nothing and change nothing. Most streams have no events most of the time, and
-- a call of share costs many times as much.
--
-- The last call of share was with ARGV[6] and ARGV[8], and brought neither
-- entries nor partitions to give up. A member without others owns all
-- partitions.
--
-- KEYS: for each stream: the stream, the hash of members, the stream that wakes
-- members. ARGV: 1 group, 2 consumer, 3 lease in ms of consumers whose names
-- have none, 4 for how many ms after a death nobody reads alone, then for each
-- stream the names of the other members, separated by blanks, the ID after
-- which this member waits for a wake-up, and the one after which it waits for
-- entries ("": it does not wait).
--
-- Answers one character for each stream: "0" if the member must call share, "2"
-- if it may read the stream itself, "1" otherwise.
--! include clock
--! include fields
--! include last_delivered
--! include leases
--! include partition_count
local group, me, lease, caution = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now, hour = now_in_ms(), 3600000

-- What depends on the other members, by the text of their names: mostly that of
-- all streams is the same.
local teams = {}

local function team_of(text)
  if not teams[text] then
    local x = {others = {}, has = {[me] = true},
               query = {'HMGET', '', 'sole', 'm:' .. me}}
    for name in string.gmatch(text, '%S+') do
      x.others[#x.others + 1] = name
      x.has[name] = true
      x.query[#x.query + 1] = 'm:' .. name
    end
    teams[text] = x
  end
  return teams[text]
end

-- Other entries than those of members are for share to find: those that were
-- given back, that were delayed or redriven, or that wait for their owners.
-- Also false if the group is missing, or may not be accessed.
local function only_members_hold(key, team)
  local summary = redis.pcall('XPENDING', key, group)
  if summary['err'] then return false end
  for _, x in ipairs(summary[4] or {}) do
    if not team.has[x[1]] then return false end
  end
  return true
end

-- A member that joins, leaves or frees partitions wakes all others.
local function is_shared_as_before(team, known, wake, last_wake)
  for i, name in ipairs(team.others) do
    local called = known[2 + i]
    if not called or now - called >= lease_of(name, lease) + 0 then
      return false
    end
  end
  local last = redis.call('XREVRANGE', wake, '+', '-', 'COUNT', 1)[1]
  return (last and last[1] or '0-0') == last_wake
end

-- Nobody wakes the only member: who joins adds a field. Some time after a death
-- share lets the only member read alone.
local function is_alone_as_before(state, is_sole)
  local more = redis.call('HLEN', state) - partitions - 1 - (is_sole and 1 or 0)
  if more == 0 then return is_sole end
  local died = more == 1 and redis.call('HGET', state, 'died')
  return died and (is_sole or now - died <= caution)
end

-- Somebody may have set the group back: then what it has to read again is no
-- reason for Redis to wake a member that waits for entries.
local function is_read_so_far(key, last_read)
  return last_read == '' or last_read == last_delivered(key, group)
end

local function look(key, state, wake, others, last_wake, last_read)
  local team = team_of(others)
  team.query[2] = state
  local known = redis.call(unpack(team.query))
  local called, is_sole = known[2], known[1] == me
  if not called or not only_members_hold(key, team)
      or not is_read_so_far(key, last_read) then
    return '0'
  end
  local same
  if others ~= '' then
    same = is_shared_as_before(team, known, wake, last_wake)
  else
    same = is_alone_as_before(state, is_sole)
  end
  if not same then return '0' end
  redis.call('HSET', state, 'm:' .. me, now)
  if math.floor(called / hour) < math.floor(now / hour) then
    redis.call('PEXPIRE', state, 259200000)
  end
  return others == '' and is_sole and '2' or '1'
end

local result = {}
for i = 1, #KEYS / 3 do
  result[i] = look(KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i],
                   ARGV[3 * i + 2], ARGV[3 * i + 3], ARGV[3 * i + 4])
end
return table.concat(result)
