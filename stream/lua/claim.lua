-- Who holds an identity: the first record that claimed it, for ever after (of this page and the last).
-- KEYS: page of the hour, page of the hour before.
-- ARGV: ttl in ms, claims of 24 bytes one after another: identity (8), mark (16: content and position).
-- Returns what holds each identity that is not held by its own mark, as a flat list (index, holder).
local ttl, claims = ARGV[1], ARGV[2]
local old = redis.call('EXISTS', KEYS[2]) == 1
local others = {}
for at = 1, #claims, 24 do
  local identity, mark = string.sub(claims, at, at + 7), string.sub(claims, at + 8, at + 23)
  local holder = old and redis.call('HGET', KEYS[2], identity)
  if not holder and redis.call('HSETNX', KEYS[1], identity, mark) == 0 then
    holder = redis.call('HGET', KEYS[1], identity)
  end
  if holder and holder ~= mark then
    others[#others + 1] = (at - 1) / 24
    others[#others + 1] = holder
  end
end
redis.call('PEXPIRE', KEYS[1], ttl)
return others
