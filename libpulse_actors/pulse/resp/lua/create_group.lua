-- Creates a group on a stream of which the caller has seen the facts, unless
-- the stream was deleted since then. KEYS: the stream. ARGV: 1 group, 2 ID
-- after which the group begins, 3 how many entries it has read, 4 how many
-- entries the stream had, 5 its last ID; both are 0 if there was no stream.
-- Answers 1, or 0 if the stream was deleted.
--! include fields
--! include ids
local key, added, last = KEYS[1], 0, '0-0'
local info = redis.pcall('XINFO', 'STREAM', key)
if not info['err'] then
  local s = fields_of(info)
  added, last = s['entries-added'], s['last-generated-id']
elseif string.find(info['err'], 'no such key', 1, true) == nil then
  return info
end
if added < tonumber(ARGV[4]) or before(last, ARGV[5]) then return 0 end
redis.call('XGROUP', 'CREATE', key, ARGV[1], ARGV[2], 'MKSTREAM', 'ENTRIESREAD',
           ARGV[3])
return 1
