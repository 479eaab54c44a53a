-- Gives a member of a keyed sink the next entries of its keys. Each partition
-- of the keys has one owner, and only the owner gets entries of it. The script
-- reads the stream for all members: entries of other partitions go to the
-- consumers "key.<partition>", from which their owners take them. So the order
-- of each key is kept: nothing is read from the stream while older entries of
-- the same partition may be somewhere else.
--
-- KEYS: 1 the stream, 2 the hash of members, 3 the stream that wakes members, 4
-- the sorted set of entries that failed and were given back before their next
-- attempt was due, 5 the one of entries that wait for it at their members.
-- ARGV: 1 group, 2 consumer, 3 lease in ms of consumers whose names have none,
-- 4 how many entries at most, 5 how many entries may wait for their owners at
-- most, 6 "1" if the member has workers, 7 "1" if the member may be reading the
-- stream itself, 8 "1" to look for dead members and to share the partitions, 9
-- for how many ms after a death nobody reads alone, then the partitions that
-- the member gives up: it holds no entry of them.
--
-- Answers 1 if the member may read the stream itself, the names of the other
-- members, separated by blanks, 1 if the member must look again at once, how
-- many entries wait for this member, how many wait for all members, the
-- consumer that blocks all others ("": none), the ID after which to wait for
-- entries ("": not this member), the ID after which to wait for a wake-up, the
-- partitions of the member, those that it shall give up, the IDs of entries
-- that had been trimmed from the stream, the reply of XPENDING for each claimed
-- entry, a list of the ID and the rest of the pause in ms of each claimed entry
-- that waited for its next attempt, and the entries, in the order of the IDs.
--! include assign
--! include assign_all
--! include clock
--! include delayed
--! include fields
--! include ids
--! include last_delivered
--! include leases
--! include partition_count
--! include partitions
--! include pauses
--! include wake
local key, state, wake, delayed, paused = unpack(KEYS)
local group, me, lease = ARGV[1], ARGV[2], ARGV[3]
local wanted, most_ahead = tonumber(ARGV[4]), tonumber(ARGV[5])
local works, alone, checks = ARGV[6] == '1', ARGV[7] == '1', ARGV[8] == '1'
local now, heir, trimmed, facts = now_in_ms(), 'dead.' .. me, {}, {}
local to_wake = {}

-- This read shows that the consumer is alive (see renew).
redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', key,
           '18446744073709551615-18446744073709551614')

-- Members and partitions -----------------------------------------------------

-- The hash has a field "m:<consumer>" for each member, with the time in ms of
-- its last call that looked for changes; "<partition>" with the consumer that
-- owns the partition ("!<consumer>": it shall give the partition up); "sole"
-- with the only member, if that member may read the stream itself; and "died"
-- with the time in ms at which a member was last found dead.

local known = fields_of(redis.call('HGETALL', state))
-- The fields that are not stored yet; false: to be deleted.
local changed = {}

local function set(field, value)
  known[field] = value
  changed[field] = value or false
end

-- The first member changes all partitions, so the changes are stored at once.
local function store()
  local fields, gone = {'HSET', state}, {'HDEL', state}
  for field, value in pairs(changed) do
    if value then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    else
      gone[#gone + 1] = field
    end
  end
  if #fields > 2 then redis.call(unpack(fields)) end
  if #gone > 2 then redis.call(unpack(gone)) end
  changed = {}
end

-- By the partition.
local owners, leaving = {}, {}

local function note_owner(partition, x)
  leaving[partition] = x ~= nil and string.sub(x, 1, 1) == '!'
  owners[partition] = leaving[partition] and string.sub(x, 2) or x
end

for i = 0, partitions - 1 do note_owner(i, known[tostring(i)]) end

local function set_owner(partition, x)
  set(tostring(partition), x)
  note_owner(partition, x)
end

local function members()
  local result = {}
  for field in pairs(known) do
    if string.sub(field, 1, 2) == 'm:' then
      result[#result + 1] = string.sub(field, 3)
    end
  end
  table.sort(result)
  return result
end

-- The partitions of this member: those that it keeps, or that it gives up.
local function mine(gives_up)
  local result = {}
  for i = 0, partitions - 1 do
    if owners[i] == me and leaving[i] == gives_up then
      result[#result + 1] = i
    end
  end
  return result
end

-- Entries --------------------------------------------------------------------

local pending

local function count_pending()
  pending = {}
  for _, x in ipairs(redis.call('XPENDING', key, group)[4] or {}) do
    pending[x[1]] = tonumber(x[2])
  end
end

local function move_all(from, to)
  assign_all(key, group, from, to, {}, trimmed)
end

-- Lays entries aside for the owners of their partitions.
local function lay_aside(entries, options)
  local ids = {}
  for _, x in ipairs(entries) do
    local p = partition_of(x)
    ids[p] = ids[p] or {}
    table.insert(ids[p], x[1])
  end
  for p = 0, partitions - 1 do
    if ids[p] then
      assign(key, group, 'key.' .. p, ids[p], options, trimmed)
      local owner = owners[p]
      if owner and owner ~= me then to_wake[owner] = true end
    end
  end
end

-- Who is there ---------------------------------------------------------------

local silence

-- Returns for how many ms a consumer has been silent. If the group was deleted
-- and created again, it lacks consumers of members that live.
local function silence_of(consumer)
  if not silence then
    silence = {}
    for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
      local x = fields_of(flat)
      silence[x['name']] = x['idle']
    end
  end
  local called = tonumber(known['m:' .. consumer])
  return math.min(silence[consumer] or math.huge,
                  called and now - called or math.huge)
end

-- This member gets the partitions and the entries of a dead one, so it gets the
-- entries before all later ones of these partitions.
local function inherit(dead)
  move_all(dead, heir)
  move_all('dead.' .. dead, heir)
  for i = 0, partitions - 1 do
    if owners[i] == dead then set_owner(i, me) end
  end
  if known['sole'] == dead then set('sole', nil) end
  set('m:' .. dead, nil)
  set('died', tostring(now))
end

local function join()
  set('m:' .. me, now)
  -- Entries of an earlier membership may belong to other members now.
  move_all(me, 'released')
  to_wake['*'] = true
end

local function share()
  local names, quota = members(), 0
  for rank, name in ipairs(names) do
    if works and name == me then
      quota = math.floor(partitions / #names)
      if rank <= partitions % #names then quota = quota + 1 end
    end
  end
  local have = mine(false)
  -- Inherited entries may be of any of these partitions.
  if #redis.call('XPENDING', key, group, '-', '+', 1, heir) == 0 then
    for i = quota + 1, #have do set_owner(have[i], '!' .. me) end
  end
  local missing = quota - #have
  -- The member for which this one gave up partitions may have left.
  for _, i in ipairs(mine(true)) do
    if missing > 0 then
      set_owner(i, me)
      missing = missing - 1
    end
  end
  for i = 0, partitions - 1 do
    local owner = owners[i]
    if missing > 0 and not (owner and known['m:' .. owner]) then
      set_owner(i, me)
      missing = missing - 1
    end
  end
end

for i = 10, #ARGV do
  local partition = tonumber(ARGV[i])
  if owners[partition] == me and leaving[partition] then
    set_owner(partition, nil)
    to_wake['*'] = true
  end
end
local joins = works and not known['m:' .. me]
if joins then join() end
if works and checks then
  for _, name in ipairs(members()) do
    if name ~= me and silence_of(name) >= lease_of(name, lease) + 0 then
      inherit(name)
    end
  end
end
if not works then move_all(heir, 'released') end
if checks or joins or to_wake['*'] or not works then share() end
local renews = checks and known['m:' .. me]
if renews then set('m:' .. me, now) end
if not works and #mine(true) == 0 and known['m:' .. me] then
  set('m:' .. me, nil)
  to_wake['*'] = true
end
store()
if renews then redis.call('PEXPIRE', state, 259200000) end

-- Entries that belong to nobody ----------------------------------------------

count_pending()

local function is_stray(consumer)
  if consumer == me or known['m:' .. consumer] then return false end
  if string.match(consumer, '^key%.%d+$') then return false end
  local of = string.match(consumer, '^dead%.(.+)$')
  return not (of and known['m:' .. of])
end

local function may_route(stray)
  return stray == 'released' or stray == 'delayed'
         or string.sub(stray, 1, 5) == 'dead.'
         or silence_of(stray) >= lease_of(stray, lease) + 0
end

-- Some entries at a time, because their payloads are read for that.
local function route(stray)
  local page = redis.call('XPENDING', key, group, '-', '+', 200, stray)
  local entries, size, gone = {}, 0, {}
  for _, x in ipairs(page) do
    if size > 4194304 then break end
    local entry = redis.call('XRANGE', key, x[1], x[1])[1]
    if entry then
      entries[#entries + 1] = entry
      for _, text in ipairs(entry[2]) do size = size + #text end
    else
      gone[#gone + 1] = x[1]
    end
  end
  lay_aside(entries, {})
  assign(key, group, 'released', gone, {}, trimmed)
  return #entries + #gone == pending[stray]
end

local blocked, again = nil, false
local strays = {}
for consumer in pairs(pending) do
  if is_stray(consumer) then strays[#strays + 1] = consumer end
end
table.sort(strays)
for _, stray in ipairs(strays) do
  if not may_route(stray) then
    blocked = blocked or stray
  elseif not route(stray) then
    again = true
  end
end
if #strays > 0 then count_pending() end

-- What this member gets ------------------------------------------------------

local function find(consumer, most)
  if (pending[consumer] or 0) == 0 or most <= 0 then return end
  local page = redis.call('XPENDING', key, group, '-', '+', most, consumer)
  for _, x in ipairs(page) do facts[#facts + 1] = x end
end

-- Inherited entries may be of all partitions, so those with the lowest IDs come
-- first, wherever they are. Without such entries the partitions are independent
-- of each other.
local function choose()
  find(heir, wanted)
  local inherits, own = #facts > 0, mine(false)
  for i = 1, #own do
    find('key.' .. own[(i + now) % #own + 1],
         inherits and wanted or wanted - #facts)
  end
  table.sort(facts, function(a, b) return before(a[1], b[1]) end)
  for i = #facts, wanted + 1, -1 do facts[i] = nil end
  for _, x in ipairs(facts) do pending[x[2]] = pending[x[2]] - 1 end
end

local function waiting_for_me()
  local result = pending[heir] or 0
  for _, p in ipairs(mine(false)) do
    result = result + (pending['key.' .. p] or 0)
  end
  return result
end

local function waiting_for_all()
  local result = 0
  for consumer, n in pairs(pending) do
    if string.match(consumer, '^key%.%d+$') then result = result + n end
  end
  return result
end

local can_take = works and not blocked and not again
if can_take and wanted > 0 then choose() end
local entries, pauses = {}, {}
if #facts > 0 then
  pauses = take_pauses(facts, {delayed, paused}, paused, now)
  local claim = {'XCLAIM', key, group, me, 0}
  for _, x in ipairs(facts) do claim[#claim + 1] = x[1] end
  entries = redis.call(unpack(claim))
  local there = {}
  for _, x in ipairs(entries) do there[x[1]] = true end
  for _, x in ipairs(facts) do
    if not there[x[1]] then trimmed[#trimmed + 1] = x[1] end
  end
end

-- New entries. What does not fit is laid aside, and so are all later entries of
-- the page.
local after, share_of_mine = '', #mine(false)
if can_take and not alone and #facts < wanted and waiting_for_me() == 0
    and share_of_mine > 0 and waiting_for_all() < most_ahead then
  local count = math.ceil((wanted - #facts) * partitions / share_of_mine)
  count = math.min(count, 1000)
  local read = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', count,
                          'STREAMS', key, '>')
  local fresh, others, have = read and read[1][2] or {}, {}, #facts
  for _, x in ipairs(fresh) do
    local p = partition_of(x)
    if owners[p] == me and not leaving[p] and have < wanted then
      entries[#entries + 1] = x
      have = have + 1
    else
      others[#others + 1] = x
    end
  end
  if #others > 0 then
    lay_aside(others, {'RETRYCOUNT', 0})
    count_pending()
  end
  again = #fresh == count
  if #fresh > 0 then after = fresh[#fresh][1] end
end

-- What follows ---------------------------------------------------------------

local names, others = members(), {}
for _, name in ipairs(names) do
  if name ~= me then others[#others + 1] = name end
end
local has_all = works and #names == 1 and #mine(false) == partitions
if not alone then
  local others_hold = false
  for consumer, n in pairs(pending) do
    others_hold = others_hold or (consumer ~= me and n > 0)
  end
  local only = has_all and not others_hold
               and now - (known['died'] or 0) > tonumber(ARGV[9])
  if only and known['sole'] ~= me then set('sole', me) end
  if known['sole'] == me and not has_all then set('sole', nil) end
  store()
end

-- The owner of the first partition that has one waits for new entries, and
-- wakes the others.
local watcher
for i = 0, partitions - 1 do watcher = watcher or owners[i] end
if watcher == me then
  if after == '' then after = last_delivered(key, group) end
else
  after = ''
end
local list = {}
for name in pairs(to_wake) do list[#list + 1] = name end
table.sort(list)
if #list > 0 and #others > 0 then wake_up(wake, list) end
local last_call = redis.call('XREVRANGE', wake, '+', '-', 'COUNT', 1)[1]
return {known['sole'] == me and 1 or 0, table.concat(others, ' '),
        again and 1 or 0, waiting_for_me(), waiting_for_all(), blocked or '',
        after, last_call and last_call[1] or '0-0', mine(false), mine(true),
        trimmed, facts, pauses, entries}
