-- Append a batch to logs and memories of one shard; return the logs that are to be looked at.
-- A log is a string: generation (2 bytes), flagged (1), look (4), then entries as appended.
-- KEYS: logs appended to, logs looked at, memories of accounts, last the set of unsettled subjects.
-- ARGV: ttl of memories, classes of logs c, logs looked at n, then for each class how many logs, their ttl
--       and their first look in bytes; then for each log appended to its entries, its subject and the time
--       of its newest entry; for each log looked at 1 (always) or 0 (where flagged); for each memory its facts.
-- Returns a flat list (index, log); a log that is looked at and does not exist is ''.
local memory_ttl, classes, looked = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local unsettled = KEYS[#KEYS]
local due, seen = {}, {}
local key, at = 0, 3 + 3 * classes
for class = 1, classes do
  local n, ttl, first = tonumber(ARGV[3 * class + 1]), ARGV[3 * class + 2], tonumber(ARGV[3 * class + 3])
  for _ = 1, n do
    key = key + 1
    local name, entries = KEYS[key], ARGV[at + 1]
    local head = redis.call('GETRANGE', name, 0, 6)
    local length
    if #head == 0 then
      head = struct.pack('>I2I1I4', 0, 0, first)
      length = 7 + #entries
      redis.call('SET', name, head .. entries, 'PX', ttl)
    else
      length = redis.call('APPEND', name, entries)
      redis.call('PEXPIRE', name, ttl)
    end
    local _, flagged, look = struct.unpack('>I2I1I4', head)
    -- Without a subject it is a network's log: never unsettled, looked at where an address is flagged.
    local network = #ARGV[at + 2] == 0
    if flagged == 1 and not network then
      redis.call('ZADD', unsettled, 'NX', ARGV[at + 3], ARGV[at + 2])
    end
    if length - 7 >= look or (flagged == 1 and network) then
      due[#due + 1] = key - 1
      due[#due + 1] = redis.call('GET', name)
      seen[name] = true
    end
    at = at + 3
  end
end
for _ = 1, looked do
  key, at = key + 1, at + 1
  local name = KEYS[key]
  if not seen[name] then
    if ARGV[at] == '1' then
      due[#due + 1] = key - 1
      due[#due + 1] = redis.call('GET', name) or ''
    else
      local head = redis.call('GETRANGE', name, 2, 2)
      if head == '\1' then
        due[#due + 1] = key - 1
        due[#due + 1] = redis.call('GET', name)
      end
    end
  end
end
for number = key + 1, #KEYS - 1 do
  at = at + 1
  -- Most that is new is new of a new account, and written by one call.
  if not redis.call('SET', KEYS[number], ARGV[at], 'PX', memory_ttl, 'NX') then
    redis.call('APPEND', KEYS[number], ARGV[at])
    redis.call('PEXPIRE', KEYS[number], memory_ttl)
  end
end
return due
