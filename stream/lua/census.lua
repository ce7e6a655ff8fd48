-- Add what a stretch of one partition counts, once for ever; set the bits of its sketches.
-- KEYS: fences of the system's partitions, hashes of counts h, sketches.
-- ARGV: partition, first offset, end, h, the fence as the caller last saw it (0: never), then for
--       each hash its ttl, how many counts, and for each what it counts and how many; then for each
--       sketch its ttl, how many bits, and those.
-- Returns the fence: beyond `first` nothing was added, and what stands before it is in already. Below
--       what the caller saw nothing was added either: state was lost, and the batch comes again.
local first, hashes = tonumber(ARGV[2]), tonumber(ARGV[4])
local stands = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or nil)
if (stands or 0) < tonumber(ARGV[5]) then
  return {stands or 0}
end
local fence = stands or first
local new = fence <= first
local at = 6
for i = 2, #KEYS do
  local ttl, n, is_hash = ARGV[at], tonumber(ARGV[at + 1]), i <= hashes + 1
  at = at + 2
  if is_hash then
    if new then
      for item = at, at + 2 * n - 2, 2 do
        redis.call('HINCRBY', KEYS[i], ARGV[item], ARGV[item + 1])
      end
    end
    at = at + 2 * n
  else
    -- A bit that is set twice is set once: no fence needed.
    for item = at, at + n - 1 do
      redis.call('SETBIT', KEYS[i], ARGV[item], 1)
    end
    at = at + n
  end
  redis.call('PEXPIRE', KEYS[i], ttl)
end
if new then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  return {first}
end
return {fence}
