-- Say that a partition has had its effects up to an offset, unless state was lost meanwhile.
-- KEYS: fences. ARGV: partition, first offset, end.
-- Returns the fence as it stood, '' where there was none; below `first` it stays as it is.
local fence = redis.call('HGET', KEYS[1], ARGV[1])
if not fence then
  return {''}
end
if tonumber(fence) >= tonumber(ARGV[2]) and tonumber(fence) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return {tonumber(fence)}
