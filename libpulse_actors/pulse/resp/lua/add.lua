-- Adds events if XADD is not enough: for batches whose outcome is unknown, for
-- dedup IDs, and for a hard limit. KEYS: 1 the stream, 2 its retention, then
-- one key for each dedup ID. ARGV: 1 an ID before the batch, "" for a first
-- attempt; 2 for how many ms the batch has been under way; 3 how many events to
-- keep, 0: no limit; 4 hard limit, 0: none; 5 what to do when the hard limit is
-- reached; 6 "1" to keep events that a group has not acknowledged; 7 and 8 time
-- to live and its kind; 9 how long dedup IDs are stored; then for each event:
-- flags (x: only if the stream exists, d: the event has a dedup ID, which is
-- the next key), the number of its fields and values together, and these.
-- Answers the ID or the error of each event, how many events had been stored
-- before, and how many older events were removed to make room: without need,
-- because all groups had acknowledged them, and others.
--
-- The events of a repeated batch are searched by their last field, beginning
-- with the newest entries, because stored events are near the end of the
-- stream. The search ends at the given ID. If other programs have added very
-- many events since then, it ends at a time shortly before the batch was sent,
-- because the search must not keep Redis busy for seconds.
--! include fields
--! include ids
--! include groups
--! include losses
local key, record, after, age = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local max_len, hard = tonumber(ARGV[3]), tonumber(ARGV[4])
local on_full, protects = ARGV[5], ARGV[6] == '1'
local ttl, ttl_kind, window = ARGV[7], ARGV[8], ARGV[9]

local events, wanted, missing, next_key, i = {}, {}, 0, 3, 10
while i <= #ARGV do
  local e = {first = i + 2, last = i + 1 + tonumber(ARGV[i + 1]),
             only_if_exists = string.find(ARGV[i], 'x')}
  if string.find(ARGV[i], 'd') then
    e.dedup, next_key = KEYS[next_key], next_key + 1
  end
  events[#events + 1] = e
  wanted[ARGV[e.last]] = e
  missing = missing + 1
  i = e.last + 1
end

local function search()
  local to, seen, bytes, found = '+', 0, 0, 0
  local now = redis.call('TIME')
  local begin = now[1] * 1000 + now[2] / 1000 - age - 5000
  repeat
    local page = redis.call('XREVRANGE', key, to, '(' .. after, 'COUNT', 100)
    for _, entry in ipairs(page) do
      local fields = entry[2]
      bytes = bytes + #(fields[4] or '')
      local e = fields[#fields - 1] == 'u' and wanted[fields[#fields]]
      if e and not e.id then
        e.id, missing, found = entry[1], missing - 1, found + 1
      end
    end
    if #page < 100 or missing == 0 then break end
    seen, to = seen + 100, '(' .. page[100][1]
    local enough = seen >= 10000 or bytes >= 16777216
  until enough and tonumber(string.match(to, '%d+')) < begin
  return found
end

local function digest(e)
  local last = ARGV[e.last - 1] == 'u' and e.last - 2 or e.last
  return redis.sha1hex(last - e.first ..
                       table.concat(ARGV, '\0', e.first, last))
end

-- Removes events that all groups have acknowledged, from the head, until `keep`
-- events are left. XTRIM with "~" removes whole nodes of the stream; what is
-- left to remove is in one node.
local function remove_acknowledged(keep)
  local surplus = redis.call('XLEN', key) - keep
  if surplus <= 0 then return 0 end
  local floor, _, inclusive = acknowledged_before(key)
  if not floor then return 0 end
  local n = redis.call('XTRIM', key, 'MINID', '~', floor, 'LIMIT', surplus)
  if n == surplus then return n end
  local page = redis.call('XRANGE', key, '-', '+', 'COUNT',
                          math.min(surplus - n + 1, 1001))
  local stop = page[surplus - n + 1]
  local id = stop and before(stop[1], floor) and stop[1] or floor
  n = n + redis.call('XTRIM', key, 'MINID', '=', id)
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  if n < surplus and inclusive and first and first[1] == floor then
    n = n + redis.call('XTRIM', key, 'MAXLEN', '=', keep + surplus - n - 1)
  end
  return n
end

-- Makes room for the events of this batch if the stream has a hard limit.
-- Without a group nothing is acknowledged, but max_len still counts.
local function make_room()
  local length = hard > 0 and redis.call('XLEN', key) or 0
  if length == 0 or length + missing <= hard then return 0, 0 end
  local keep = math.max(hard - missing, 0)
  if max_len > 0 then keep = math.min(keep, max_len) end
  local n, lost = remove_acknowledged(keep), 0
  if not protects then
    lost = redis.call('XTRIM', key, 'MAXLEN', '=', keep)
  elseif max_len > 0 and #redis.call('XINFO', 'GROUPS', key) == 0 then
    lost = redis.call('XTRIM', key, 'MAXLEN', '=', max_len)
  end
  return n, lost
end

local added, removed, dropped = false, 0, 0
local function add(e)
  local sum = e.dedup and digest(e)
  local known = e.dedup and redis.call('GET', e.dedup)
  if known and redis.call('EXISTS', key) == 1 then
    local id, its_sum = string.match(known, '^(%S+) (%S+)$')
    if its_sum == sum then return id end
    return redis.error_reply('DEDUPCONFLICT event ' .. id ..
                             ' has the same dedup_id and other content')
  end
  if hard > 0 then
    local length = redis.call('XLEN', key)
    if length >= hard then
      if on_full == 'reject' then
        return redis.error_reply('STREAMFULL it has ' .. length ..
                                 ' events and hard_max_len is ' .. hard)
      end
      dropped = dropped + redis.call('XTRIM', key, 'MAXLEN', '=', hard - 1)
    end
  end
  local command = {'XADD', key}
  if e.only_if_exists then command[#command + 1] = 'NOMKSTREAM' end
  command[#command + 1] = '*'
  for n = e.first, e.last do command[#command + 1] = ARGV[n] end
  local id = redis.call(unpack(command))
  if id and e.dedup then
    redis.call('SET', e.dedup, id .. ' ' .. sum, 'PX', window)
  end
  added = added or id
  return id
end

local found = after ~= '' and search() or 0
if missing > 0 then removed, dropped = make_room() end
local results = {}
for n, e in ipairs(events) do results[n] = e.id or add(e) end
if added and ttl ~= '0' then
  if ttl_kind == 'sliding' then
    redis.call('PEXPIRE', key, ttl)
  else
    redis.call('PEXPIRE', key, ttl, 'NX')
  end
end
count_losses(record, dropped)
return {results, found, removed, dropped}
