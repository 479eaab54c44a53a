#include "pulse/resp/dead_letter_scripts.hpp"

#include "pulse/core/names.hpp"
#include "pulse/resp/stream_replies.hpp"

#include <charconv>

namespace pulse::resp {

const script& dead_letter_script() {
  static constexpr script x{"dead_letter", R"lua(
local key, dead, redrives = KEYS[1], KEYS[2], KEYS[3]
local group, id, max_len = ARGV[1], ARGV[2], tonumber(ARGV[3])
if #redis.call('XPENDING', key, group, id, id, 1) == 0 then return false end
local entry = redis.call('XRANGE', key, id, id)[1]
local fields = entry and entry[2] or {}
local add, has = {'XADD', dead, '*'}, {}
for i = 1, #fields, 2 do has[fields[i]] = true end
if not has['n'] then
  add[#add + 1] = 'n'
  add[#add + 1] = entry and 'malformed' or 'trimmed'
end
if not has['p'] then
  add[#add + 1] = 'p'
  add[#add + 1] = ''
end
-- Lua can hand over some thousand arguments: of a monster, what we know.
for i = 1, #fields, 2 do
  local name = fields[i]
  if #fields <= 1000 or name == 'n' or name == 'p' or name == 't' then
    add[#add + 1] = name
    add[#add + 1] = fields[i + 1]
  end
end
for i = 4, #ARGV do add[#add + 1] = ARGV[i] end
local times, history = string.match(redis.call('HGET', redrives, id) or '',
                                    '^(%d+)\n(.*)$')
if times then
  for _, text in ipairs({'x-redrives', times, 'x-history', history}) do
    add[#add + 1] = text
  end
end
local letter = redis.call(unpack(add))
redis.call('XACK', key, group, id)
local removed = 0
if max_len > 0 then
  removed = redis.call('XTRIM', dead, 'MAXLEN', '~', max_len)
end
return {letter, removed}
)lua",
                            "923681bb83163fdc8cf4b4e104567a19ab29bc9d"};
  return x;
}

// XCLAIM with FORCE makes an entry pending that was acknowledged, if it is
// still in the stream, and only for this group. The consumer "released" and an
// idle time above any lease let the next sweep take it.
const script& redrive_script() {
  static constexpr script x{"redrive", R"lua(
local key, dead, redrives = KEYS[1], KEYS[2], KEYS[3]
local group, most, now = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local letters = {}
if ARGV[4] == 'ids' then
  for i = 5, #ARGV do
    local found = redis.call('XRANGE', dead, ARGV[i], ARGV[i])[1]
    letters[#letters + 1] = found or {ARGV[i]}
  end
else
  letters = redis.call('XRANGE', dead, ARGV[5], ARGV[6], 'COUNT', ARGV[7])
end
local redriven, guarded, gone, last = 0, 0, 0, ''
for _, letter in ipairs(letters) do
  local x = {}
  for i = 1, #(letter[2] or {}), 2 do x[letter[2][i]] = letter[2][i + 1] end
  local id = x['x-id'] or '0-0'
  local times, history = string.match(redis.call('HGET', redrives, id) or '0\n',
                                      '^(%d+)\n(.*)$')
  last = letter[1]
  if tonumber(times) >= most then
    guarded = guarded + 1
  else
    local claimed = redis.pcall('XCLAIM', key, group, 'released', 0, id,
                                'IDLE', 86400000, 'RETRYCOUNT', 0, 'FORCE',
                                'JUSTID')
    if claimed['err'] or #claimed == 0 then
      gone = gone + 1
    else
      local lines = {}
      for line in string.gmatch(history, '[^\n]+') do
        lines[#lines + 1] = line
      end
      local reason = string.gsub(x['x-reason'] or '', '%c', ' ')
      lines[#lines + 1] = (x['x-time'] or now) .. ' ' .. string.sub(reason, 1, 200)
      if #lines > 5 then table.remove(lines, 1) end
      redis.call('HSET', redrives, id, tonumber(times) + 1 .. '\n' ..
                 table.concat(lines, '\n'))
      redis.call('PEXPIRE', redrives, 2592000000)
      redis.call('XDEL', dead, letter[1])
      redriven = redriven + 1
    end
  end
end
return {redriven, guarded, gone, last}
)lua",
                            "e70de385ff14694b13242ccded58df04409d6e0b"};
  return x;
}

std::string redrives_key(std::string_view stream, std::string_view sink) {
  return metadata_key(stream, "redrives:" + std::string{sink});
}

namespace {

template <class T>
T number_of(std::string_view text) {
  T result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

void set_field(dead_letter& x, std::string_view field, std::string_view value) {
  if (field == "n")
    x.name = value;
  else if (field == "p")
    x.payload = value;
  else if (field == "t")
    x.topic = value;
  else if (field == "x-id")
    x.origin.id = parse_event_id(value).ok() ? *parse_event_id(value)
                                             : event_id::min();
  else if (field == "x-stream")
    x.origin.stream = value;
  else if (field == "x-sink")
    x.sink = value;
  else if (field == "x-node")
    x.node = value;
  else if (field == "x-reason")
    x.reason = value;
  else if (field == "x-deliveries")
    x.counts.deliveries = number_of<uint32_t>(value);
  else if (field == "x-failures")
    x.counts.failures = number_of<uint32_t>(value);
  else if (field == "x-crashes")
    x.counts.crashes = number_of<uint32_t>(value);
  else if (field == "x-time")
    x.time = std::chrono::milliseconds{number_of<int64_t>(value)};
  else if (field == "x-redrives")
    x.redrives = number_of<uint32_t>(value);
  else if (field == "x-history")
    x.history = value;
}

bool read_letter(cursor& at, dead_letter& x) {
  uint32_t size = 0;
  if (!at.read_array(size) || size != 2)
    return false;
  auto id = read_id(at, "XRANGE");
  if (!id || !at.read_array(size) || size % 2 != 0)
    return false;
  x.id = *id;
  for (; size > 0; size -= 2) {
    std::string_view field;
    std::string_view value;
    if (!at.read_text(field) || !at.read_text(value))
      return false;
    set_field(x, field, value);
  }
  return true;
}

} // namespace

outcome<std::vector<dead_letter>> read_dead_letters(cursor& at) {
  const auto begin = at;
  if (at.is(node_type::error))
    return error_of(at);
  uint32_t size = 0;
  if (!at.read_array(size))
    return unexpected_reply("XRANGE", begin);
  std::vector<dead_letter> result(size);
  for (auto& x : result)
    if (!read_letter(at, x))
      return unexpected_reply("XRANGE", at);
  return result;
}

outcome<redrive_result> read_redrive(cursor& at, std::string& last) {
  const auto begin = at;
  if (at.is(node_type::error))
    return error_of(at);
  uint32_t size = 0;
  redrive_result result;
  if (!at.read_array(size) || size != 4)
    return unexpected_reply("redrive", begin);
  for (auto* x : {&result.redriven, &result.guarded, &result.gone}) {
    auto n = read_number(at, "redrive");
    if (!n)
      return n.error();
    *x = static_cast<uint64_t>(*n);
  }
  std::string_view text;
  if (!at.read_text(text))
    return unexpected_reply("redrive", begin);
  last = text;
  return result;
}

} // namespace pulse::resp
