-- Makes dead letters pending again for their sink.
-- KEYS: 1 stream, 2 dead letter stream, 3 the sink's record of redrives. ARGV:
-- 1 group, 2 how often one event may be redriven, 3 time in ms, then either
-- "ids" and the IDs of letters, or "range", first letter (may be "(id"), last
-- letter, how many letters at most. Answers how many letters were redriven, how
-- many were skipped because they had been redriven too often, how many because
-- their event is not in the stream any more, and the ID of the last letter that
-- was examined, or "".
--
-- XCLAIM with FORCE makes an acknowledged entry pending again for this group,
-- if the entry is still in the stream. The script assigns the entry to the
-- consumer "released" with an idle time longer than any lease, so that the next
-- node that looks for events of dead nodes claims the entry.
--! include fields
--! include redrives
local key, dead, record = KEYS[1], KEYS[2], KEYS[3]
local group, most, now = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local letters = {}
if ARGV[4] == 'ids' then
  for i = 5, #ARGV do
    local found = redis.call('XRANGE', dead, ARGV[i], ARGV[i])[1]
    letters[#letters + 1] = found or {ARGV[i]}
  end
else
  letters = redis.call('XRANGE', dead, ARGV[5], ARGV[6], 'COUNT', ARGV[7])
end
local redriven, skipped_limit, skipped_missing, last = 0, 0, 0, ''
for _, letter in ipairs(letters) do
  local x = fields_of(letter[2] or {})
  local id = x['x-id'] or '0-0'
  local times, history = redrives_of(record, id)
  times = tonumber(times or 0)
  last = letter[1]
  if times >= most then
    skipped_limit = skipped_limit + 1
  else
    local claimed = redis.pcall('XCLAIM', key, group, 'released', 0, id,
                                'IDLE', 86400000, 'RETRYCOUNT', 0, 'FORCE',
                                'JUSTID')
    if claimed['err'] or #claimed == 0 then
      skipped_missing = skipped_missing + 1
    else
      local lines = {}
      for line in string.gmatch(history or '', '[^\n]+') do
        lines[#lines + 1] = line
      end
      local reason = string.gsub(x['x-reason'] or '', '%c', ' ')
      lines[#lines + 1] = (x['x-time'] or now) .. ' ' ..
                          string.sub(reason, 1, 200)
      if #lines > 5 then table.remove(lines, 1) end
      redis.call('HSET', record, id,
                 times + 1 .. '\n' .. table.concat(lines, '\n'))
      redis.call('PEXPIRE', record, 2592000000)
      redis.call('XDEL', dead, letter[1])
      redriven = redriven + 1
    end
  end
end
return {redriven, skipped_limit, skipped_missing, last}
