-- Deletes a stream with its groups and metadata, but no key of another type.
-- KEYS: the stream, then its metadata keys. Answers 1 if there was a stream.
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'stream' and kind ~= 'none' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[1] .. ' holds a ' .. kind)
end
redis.call('UNLINK', unpack(KEYS))
return kind == 'stream' and 1 or 0
