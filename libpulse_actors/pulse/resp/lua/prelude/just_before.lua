-- The ID before an ID, or a lower one if the second number has too many digits.
local function just_before(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  if #seq < 16 and seq ~= '0' then
    return ms .. '-' .. string.format('%.0f', seq - 1)
  end
  if ms == '0' then return '0-0' end
  return string.format('%.0f', ms - 1) .. '-18446744073709551615'
end

