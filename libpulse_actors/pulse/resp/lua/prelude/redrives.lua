-- What the record of redrives says about the event `id`: how often it was
-- redriven, as text, and one line about each of the last times. nil if never.
local function redrives_of(record, id)
  local text = redis.call('HGET', record, id)
  return string.match(text or '', '^(%d+)\n(.*)$')
end
