-- Add successes of systems, of which only the earliest are kept; tell the time of the last one wanted.
-- KEYS: for each system its earliest successes. ARGV: how many are wanted, then for each system
-- how many are added and for each of those its time and identity.
-- Returns for each system the time, or '' where there are fewer.
local wanted = tonumber(ARGV[1])
local found, at = {}, 1
for i = 1, #KEYS do
  local n = tonumber(ARGV[at + 1])
  at = at + 1
  for _ = 1, n do
    redis.call('ZADD', KEYS[i], 'NX', ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  redis.call('ZREMRANGEBYRANK', KEYS[i], wanted, -1)
  local last = redis.call('ZRANGE', KEYS[i], wanted - 1, wanted - 1, 'WITHSCORES')
  found[i] = last[2] or ''
end
return found
