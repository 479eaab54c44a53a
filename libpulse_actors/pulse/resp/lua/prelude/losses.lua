-- Counts events that were removed before any sink could handle them, beside the
-- retention of the stream. The count must not stop the script if the user lacks
-- the right to write it.
local function count_losses(record, events)
  if events > 0 then
    redis.pcall('HINCRBY', record, 'lost', events)
  end
end
