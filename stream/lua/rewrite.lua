-- Put memories of one shard without what they repeat in place of what was read of them.
-- KEYS: memories. ARGV: for each its new content and how many bytes were read.
-- A memory only grows at its end, so what came since the reading is the tail behind them.
for i = 1, #KEYS do
  local content, read = ARGV[2 * i - 1], tonumber(ARGV[2 * i])
  local length = redis.call('STRLEN', KEYS[i])
  if length >= read and #content < read then
    local ttl = math.max(1, redis.call('PTTL', KEYS[i]))
    local tail = length > read and redis.call('GETRANGE', KEYS[i], read, -1) or ''
    redis.call('SET', KEYS[i], content .. tail, 'PX', ttl)
  end
end
return {}
