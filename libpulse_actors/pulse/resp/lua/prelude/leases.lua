-- The lease of a consumer in ms. It is at the end of its name, so that members
-- with other leases see when its entries are stale.
local function lease_of(consumer, otherwise)
  return tonumber(string.match(consumer, '%.(%d+)ms$') or otherwise)
end
