-- Other members wait until this stream has an entry that names them, or "*".
local function wake_up(wake, names)
  redis.call('XADD', wake, 'MAXLEN', 16, '*', 'for', table.concat(names, ' '))
  redis.call('PEXPIRE', wake, 259200000)
end
