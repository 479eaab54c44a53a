-- A keyed sink divides the keys of a stream into so many partitions.
local partitions = 64
