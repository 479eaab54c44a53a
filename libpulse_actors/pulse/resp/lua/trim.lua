-- Trims a stream by length and by age. KEYS: 1 stream, 2 its retention. ARGV,
-- which count if no retention is stored: 1 how many events to keep, 0: no
-- limit; 2 their maximum age in ms, 0: no limit; 3 "1" to keep events that a
-- group has not acknowledged. Answers how many events were removed, how many
-- are left, which group keeps the oldest event, if any: its name, the age of
-- that event in ms, and for how many ms the nodes of that group have been
-- silent (-1: the group has no nodes); and how many of the removed events no
-- group had acknowledged, at most.
--
-- XTRIM with "~" and a LIMIT removes whole nodes of the stream from its head,
-- and at most LIMIT entries. The script passes the surplus as the limit, so the
-- stream never gets shorter than max_len. So one XTRIM by ID is enough, and the
-- script need not search the ID at which max_len entries are left.
--! include fields
--! include ids
--! include groups
--! include losses
local key, record = KEYS[1], KEYS[2]
local stored = redis.call('HMGET', record, 'max_len', 'max_age',
                          'protect_unacked')
if not stored[1] then stored = ARGV end
local max_len, max_age = tonumber(stored[1]), tonumber(stored[2])
local length = redis.call('XLEN', key)
local surplus = max_len > 0 and length - max_len or 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function oldest()
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  return first and tonumber(string.match(first[1], '%d+')) or now
end
local cutoff
if max_age > 0 and oldest() < now - max_age then
  cutoff = string.format('%.0f-0', now - max_age)
end
if (surplus <= 0 and not cutoff) or length == 0 then
  return {0, length, '', 0, 0, 0}
end
local floor, holder = acknowledged_before(key)
local n = 0
if floor then
  if surplus > 0 then
    n = redis.call('XTRIM', key, 'MINID', '~', floor, 'LIMIT', surplus)
  end
  if cutoff then
    local id = before(cutoff, floor) and cutoff or floor
    n = n + redis.call('XTRIM', key, 'MINID', '=', id)
  end
end
if not floor or stored[3] ~= '1' then
  local lost = 0
  if surplus > n then
    lost = redis.call('XTRIM', key, 'MAXLEN', '~', max_len, 'LIMIT', 0)
  end
  if cutoff then
    lost = lost + redis.call('XTRIM', key, 'MINID', '=', cutoff)
  end
  count_losses(record, lost)
  n = n + lost
  return {n, length - n, '', 0, 0, lost}
end
local silent = -1
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', key, holder)) do
  local idle = fields_of(flat)['idle']
  if silent < 0 or idle < silent then silent = idle end
end
return {n, length - n, holder, now - oldest(), silent, 0}
