-- Append a batch to logs of one shard; return those that have grown to where they are looked at.
-- A log is a string: generation (2 bytes), flagged (1), look (4), then entries as appended.
-- KEYS: n logs, then m slots of successes, last the set of unsettled subjects.
-- ARGV: ttl of logs, ttl of slots, first look in bytes, n, then for each log its entries, its subject
--       and the time of its newest entry, then for each slot its subjects of 8 bytes one after another.
-- Returns a flat list (index, log).
local ttl, slot_ttl, first, n = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local unsettled = KEYS[#KEYS]
local due = {}
for i = 1, n do
  local key, at = KEYS[i], 3 * i + 2
  local head = redis.call('GETRANGE', key, 0, 6)
  local length
  if #head == 0 then
    head = struct.pack('>I2I1I4', 0, 0, first)
    length = 7 + #ARGV[at]
    redis.call('SET', key, head .. ARGV[at], 'PX', ttl)
  else
    length = redis.call('APPEND', key, ARGV[at])
    redis.call('PEXPIRE', key, ttl)
  end
  local _, flagged, look = struct.unpack('>I2I1I4', head)
  if flagged == 1 then
    redis.call('ZADD', unsettled, 'NX', ARGV[at + 2], ARGV[at + 1])
  end
  if length - 7 >= look then
    due[#due + 1] = i - 1
    due[#due + 1] = redis.call('GET', key)
  end
end
for i = n + 1, #KEYS - 1 do
  local subjects = ARGV[2 * n + 4 + i]
  for at = 1, #subjects, 8000 do -- Lua passes no more than some 8,000 arguments
    local some = {}
    for one = at, math.min(#subjects, at + 7999), 8 do
      some[#some + 1] = string.sub(subjects, one, one + 7)
    end
    redis.call('SADD', KEYS[i], unpack(some))
  end
  redis.call('PEXPIRE', KEYS[i], slot_ttl)
end
return due
