-- The memories of accounts of one shard, '' where there is none.
-- KEYS: memories.
local found = {}
for i = 1, #KEYS do
  found[i] = redis.call('GET', KEYS[i]) or ''
end
return found
