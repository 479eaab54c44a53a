-- The partition of an entry: its topic belongs to one of the partitions. An
-- entry without a topic has no order to keep, so its ID spreads such entries
-- over all partitions. partition_of() in core/delivery/partition.hpp computes
-- the same. Needs partition_count.
local modulus = 4294967291

local function partition_of(entry)
  local text, fields, hash = entry[1], entry[2], 0
  for i = 1, #fields, 2 do
    if fields[i] == 't' and #fields[i + 1] > 0 then text = fields[i + 1] end
  end
  for i = 1, #text do
    hash = (hash * 31 + string.byte(text, i)) % modulus
  end
  -- Similar names are near to each other up to here. The two factors were
  -- chosen because they spread numbered names evenly.
  hash = hash * 1000709 % modulus * 1367319 % modulus
  return math.floor(hash * partitions / modulus)
end
