-- Agrees on what a stream keeps. KEYS: 1 stream, 2 its retention. ARGV: 1
-- "check": the options that are set must be those that are stored; "change":
-- they replace those that are stored; "follow": those that are stored count;
-- then for each option its name, its default, and the value that the caller
-- sets, "" if none. The first caller that sets an option stores all of them.
-- Answers "1" if a retention is stored, the value of each option, the length of
-- the stream, and how many events were removed before any sink could handle
-- them. Error: RETENTION with the reason.
--! include fields
--! include ids
--! include groups
local key, record, mode = KEYS[1], KEYS[2], ARGV[1]
local stored = fields_of(redis.call('HGETALL', record))
local is_stored = stored['max_len'] ~= nil
local length = redis.call('XLEN', key)

local names, value, differs, sets = {}, {}, {}, false
for i = 2, #ARGV, 3 do
  local name, chosen = ARGV[i], ARGV[i + 2]
  names[#names + 1] = name
  value[name] = stored[name] or ARGV[i + 1]
  if chosen ~= '' then
    sets = true
    if chosen ~= value[name] then
      differs[#differs + 1] = name .. ' is ' .. value[name] .. ', not ' ..
                              chosen
    end
    if mode ~= 'follow' or not is_stored then value[name] = chosen end
  end
end

-- The first retention of a stream must not remove what was added while nothing
-- limited the stream.
local function removed_by_first()
  if length == 0 then return end
  local ttl = tonumber(value['ttl'])
  if ttl > 0 and redis.call('PTTL', key) == -1 then
    return 'ttl = ' .. value['ttl'] .. ' would end it'
  end
  local time = redis.call('TIME')
  local now, max_age = time[1] * 1000, tonumber(value['max_age'])
  local floor = value['protect_unacked'] == '1' and acknowledged_before(key)
  if floor then return end
  for _, name in ipairs({'max_len', 'hard_max_len'}) do
    local limit = tonumber(value[name])
    if limit > 0 and length > limit then
      return name .. ' = ' .. value[name] .. ' would remove ' ..
             length - limit .. ' of its ' .. length .. ' events'
    end
  end
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  local oldest = tonumber(string.match(first[1], '%d+'))
  if max_age > 0 and oldest < now - max_age then
    return 'max_age = ' .. value['max_age'] .. ' ms would remove events, ' ..
           'of which the oldest is ' .. math.floor((now - oldest) / 1000) ..
           ' s old'
  end
end

if sets and mode == 'check' and is_stored and #differs > 0 then
  return redis.error_reply('RETENTION ' .. table.concat(differs, ', '))
end
if sets and not is_stored and mode ~= 'change' then
  local what = removed_by_first()
  if what then
    return redis.error_reply('RETENTION nothing limits the stream so far, ' ..
                             'and ' .. what)
  end
end
if sets and (not is_stored or (mode == 'change' and #differs > 0)) then
  local command = {'HSET', record}
  for _, name in ipairs(names) do
    command[#command + 1] = name
    command[#command + 1] = value[name]
  end
  redis.call(unpack(command))
  redis.call('PERSIST', record)
  is_stored = true
end
-- The retention of a stream that expires must not stay for ever.
if is_stored and value['ttl'] ~= '0' then
  redis.call('PEXPIRE', record, value['ttl'] + 86400000)
end
local result = {is_stored and '1' or '0'}
for _, name in ipairs(names) do result[#result + 1] = value[name] end
result[#result + 1] = length
result[#result + 1] = tonumber(stored['lost'] or 0)
return result
