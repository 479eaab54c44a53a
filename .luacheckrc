-- For the scripts that run inside Redis (libpulse_actors/pulse/resp/lua).
std = "lua51"
read_globals = {"redis", "KEYS", "ARGV"}
max_line_length = 80
