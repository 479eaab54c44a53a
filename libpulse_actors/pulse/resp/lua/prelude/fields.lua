-- XINFO answers a flat list of names and values, and so are the fields of an
-- entry.
local function fields_of(flat)
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  return x
end
