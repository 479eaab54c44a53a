-- Deletes the consumer together with what it has pending, which is lost then.
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return {0, 1}
