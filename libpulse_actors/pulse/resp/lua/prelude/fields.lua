-- Makes a table of a flat list of names and values. XINFO answers such lists,
-- and the fields of an entry are such a list, too.
local function fields_of(flat)
  local x = {}
  for i = 1, #flat, 2 do x[flat[i]] = flat[i + 1] end
  return x
end
