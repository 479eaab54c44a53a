-- Reads the record of redrives of the event `id`. Returns how often the event
-- was redriven, as text, and one line for each of the last redrives; nil if it
-- was never redriven.
local function redrives_of(record, id)
  local text = redis.call('HGET', record, id)
  return string.match(text or '', '^(%d+)\n(.*)$')
end
