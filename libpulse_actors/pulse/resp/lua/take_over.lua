-- Claims entries that have been idle for a whole lease: their node died, or
-- gave them back. KEYS: the stream. ARGV: 1 group, 2 consumer, 3 lease in ms, 4
-- how many entries at most. Answers how many of the entries had been trimmed
-- from the stream, the reply of XPENDING for each, and the entries. XCLAIM
-- checks the idle time again, so only one of two nodes gets an entry.
local key, group, me = KEYS[1], ARGV[1], ARGV[2]
local wanted = tonumber(ARGV[4])
local claim, facts = {'XCLAIM', key, group, me, ARGV[3]}, {}
local from = '-'
repeat
  local page = redis.call('XPENDING', key, group, 'IDLE', ARGV[3], from, '+',
                          wanted)
  for _, x in ipairs(page) do
    if x[2] ~= me and #facts < wanted then
      facts[#facts + 1] = x
      claim[#claim + 1] = x[1]
    end
  end
  if #page > 0 then from = '(' .. page[#page][1] end
until #page < wanted or #facts >= wanted
if #facts == 0 then return {0, {}, {}} end
local entries = redis.call(unpack(claim))
return {#facts - #entries, facts, entries}
