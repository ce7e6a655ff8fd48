-- Who holds an identity: the first record that claimed it, for ever after (of this page and the last).
-- KEYS: page of the hour, page of the hour before.
-- ARGV: ttl in ms, claims of 24 bytes one after another: identity (8), mark (16: content and position).
-- Returns what holds each identity that is not held by its own mark, as a flat list (index, holder).
-- A thousand at a time: a call from Lua costs more than looking an identity up (and unpack has a limit).
local at_once = 1000
local claims = ARGV[2]
local total = #claims / 24
local old = redis.call('EXISTS', KEYS[2]) == 1
local others = {}
for first = 1, total, at_once do
  local count = math.min(at_once, total - first + 1)
  local identities, marks = {}, {}
  for i = 1, count do
    local at = 24 * (first + i - 2)
    identities[i] = string.sub(claims, at + 1, at + 8)
    marks[i] = string.sub(claims, at + 9, at + 24)
  end
  local before = old and redis.call('HMGET', KEYS[2], unpack(identities))
  local held = redis.call('HMGET', KEYS[1], unpack(identities))
  local here, new = {}, {}
  for i = 1, count do
    local identity, mark = identities[i], marks[i]
    local holder = (before and before[i]) or held[i] or here[identity]
    if not holder then
      here[identity] = mark
      new[#new + 1] = identity
      new[#new + 1] = mark
    elseif holder ~= mark then
      others[#others + 1] = first + i - 2
      others[#others + 1] = holder
    end
  end
  if #new > 0 then
    redis.call('HSET', KEYS[1], unpack(new))
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return others
