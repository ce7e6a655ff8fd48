-- Add the successes of a stretch of one partition, once for ever.
-- KEYS: fences of the system's partitions, then a hash of counts for each day.
-- ARGV: partition, first offset, end, ttl of counts, then for each day how many counts and for each
--       what it counts and how many.
-- Returns the fence: beyond `first` nothing was added, and what stands before it is in already.
local fence = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[2])
if fence > tonumber(ARGV[2]) then
  return {fence}
end
local at = 5
for i = 2, #KEYS do
  for _ = 1, tonumber(ARGV[at]) do
    redis.call('HINCRBY', KEYS[i], ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  at = at + 1
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {tonumber(ARGV[2])}
