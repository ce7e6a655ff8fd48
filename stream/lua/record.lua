-- Append a batch to logs and memories of one shard; return the logs that are to be looked at.
-- A log is a string: generation (2 bytes), flagged (1), look (4), then entries as appended.
-- KEYS: logs appended to, logs looked at, memories of accounts, last the set of unsettled subjects.
-- ARGV: ttl of memories, classes of logs c, logs looked at n, then for each class how many logs, their ttl, their
--       first look in bytes, 1 where their expiry is due to be renewed, and 1 where they are logs of networks;
--       then for each log appended to its entries and, unless of a network, its subject and the time of its
--       newest entry; for each log looked at 1 (always) or 0 (where flagged); for each memory its facts.
-- Returns a flat list (index, log); a log that is looked at and does not exist is ''.
local memory_ttl, classes, looked = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local unsettled = KEYS[#KEYS]
local due, seen = {}, {}
local key, at = 0, 3 + 5 * classes
for class = 1, classes do
  local told = 5 * class - 1
  local n, ttl, first = tonumber(ARGV[told]), ARGV[told + 1], tonumber(ARGV[told + 2])
  local renew, network = ARGV[told + 3] == '1', ARGV[told + 4] == '1'
  local head_of_new = struct.pack('>I2I1I4', 0, 0, first)
  for _ = 1, n do
    key = key + 1
    local name, entries = KEYS[key], ARGV[at + 1]
    local head = redis.call('GETRANGE', name, 0, 6)
    local length, flagged, look
    if #head == 0 then
      length, flagged, look = 7 + #entries, 0, first
      redis.call('SET', name, head_of_new .. entries, 'PX', ttl)
    else
      length = redis.call('APPEND', name, entries)
      if renew then
        redis.call('PEXPIRE', name, ttl)
      end
      local _, a, b, c, d
      _, _, flagged, a, b, c, d = string.byte(head, 1, 7)
      look = ((a * 256 + b) * 256 + c) * 256 + d
    end
    -- A network's log is never unsettled, and is looked at where one of its addresses is flagged.
    if network then
      at = at + 1
    else
      if flagged == 1 then
        redis.call('ZADD', unsettled, 'NX', ARGV[at + 3], ARGV[at + 2])
      end
      at = at + 3
    end
    if length - 7 >= look or (flagged == 1 and network) then
      due[#due + 1] = key - 1
      due[#due + 1] = redis.call('GET', name)
      seen[name] = true
    end
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
