-- Copies an entry to the dead letters and acknowledges it, if it is pending for
-- the consumer. If another consumer took it over, that one decides.
-- KEYS: 1 stream, 2 dead letter stream, 3 the sink's record of redrives. ARGV:
-- 1 group, 2 ID, 3 how many letters to keep at most (0: all), 4 consumer, then
-- names and values of fields to write after the fields of the entry. Answers
-- nil if the entry is not pending for the consumer, else the ID of the letter
-- and how many older letters were removed.
--! include fields
--! include redrives
local key, dead, record = KEYS[1], KEYS[2], KEYS[3]
local group, id, max_len = ARGV[1], ARGV[2], tonumber(ARGV[3])
if #redis.call('XPENDING', key, group, id, id, 1, ARGV[4]) == 0 then
  return false
end
local entry = redis.call('XRANGE', key, id, id)[1]
local fields = entry and entry[2] or {}
local add, has = {'XADD', dead, '*'}, fields_of(fields)
if not has['n'] then
  add[#add + 1] = 'n'
  add[#add + 1] = entry and 'malformed' or 'trimmed'
end
if not has['p'] then
  add[#add + 1] = 'p'
  add[#add + 1] = ''
end
-- Lua can pass only some thousand arguments to a command. If an entry has more
-- than 500 fields, the dead letter gets only the fields that the library knows.
for i = 1, #fields, 2 do
  local name = fields[i]
  if #fields <= 1000 or name == 'n' or name == 'p' or name == 't' then
    add[#add + 1] = name
    add[#add + 1] = fields[i + 1]
  end
end
for i = 5, #ARGV do add[#add + 1] = ARGV[i] end
local times, history = redrives_of(record, id)
if times then
  for _, text in ipairs({'x-redrives', times, 'x-history', history}) do
    add[#add + 1] = text
  end
end
local letter = redis.call(unpack(add))
redis.call('XACK', key, group, id)
local removed = 0
if max_len > 0 then
  removed = redis.call('XTRIM', dead, 'MAXLEN', '~', max_len)
end
return {letter, removed}
