-- Creates a group on a stream of which the caller has seen the facts, unless
-- the stream was deleted since then. KEYS: 1 the stream, 2 the sorted set of
-- waiting entries, 3 the one of entries that were acknowledged late; the new
-- group delivers both anyway. ARGV: 1 group, 2 ID after which the group begins,
-- 3 how many entries it has read, 4 how many entries the stream had, 5 its last
-- ID; both are 0 if there was no stream. If 6 is given: the group begins after
-- 9 instead if the stream has exactly 8 entries after 6 and up to 7.
-- Answers 1, 2 if the group begins after 9, or 0 if the stream was deleted.
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

-- There is no command that counts entries without reading them. Entries may be
-- large, so the pages are small, and the count ends when it took too many
-- bytes.
local function has_exactly(wanted, from, to)
  local n, bytes = 0, 0
  repeat
    local page = redis.call('XRANGE', key, '(' .. from, to, 'COUNT', 16)
    n = n + #page
    for _, entry in ipairs(page) do
      for _, text in ipairs(entry[2]) do bytes = bytes + #text end
    end
    if #page > 0 then from = page[#page][1] end
  until #page < 16 or n > wanted or bytes > 16777216
  return n == wanted and bytes <= 16777216
end

local after, answer = ARGV[2], 1
if ARGV[6] and has_exactly(tonumber(ARGV[8]), ARGV[6], ARGV[7]) then
  after, answer = ARGV[9], 2
end
redis.call('XGROUP', 'CREATE', key, ARGV[1], after, 'MKSTREAM', 'ENTRIESREAD',
           ARGV[3])
redis.call('DEL', KEYS[2], KEYS[3])
return answer
