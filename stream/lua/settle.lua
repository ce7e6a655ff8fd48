-- Leave what one judgement found: when to look next, the log without its duplicates, episodes, outbox.
-- KEYS: log, set of unsettled subjects, outbox, log of the network, then an episode for each draft.
-- ARGV: subject, seen (bytes of entries judged), generation, room in bytes, flagged (0|1),
--       compacted entries or '', event time, ttl of episodes, pending (0 no, 1 yes, 2 not all was judged), bytes read of
--       the network's log or '', its ttl and first look, then for each draft
--       id, size, rank, final (0|1), body, kind (alert|verdict).
-- Returns the ids of the drafts that got a revision; '!' and the id where one is due but has no body.
local log, unsettled, outbox = KEYS[1], KEYS[2], KEYS[3]
local seen, generation, room = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local head = redis.call('GETRANGE', log, 0, 6)
local grown, unjudged = false, false
if #head == 7 then
  local current, flagged, look = struct.unpack('>I2I1I4', head)
  if ARGV[5] == '1' then flagged = 1 end
  if current == generation then
    grown = redis.call('STRLEN', log) - 7 > seen
    look = seen + room
    if ARGV[6] ~= '' then
      -- Appends only add at the end, so what came since the reading is the tail behind `seen`.
      local tail = grown and redis.call('GETRANGE', log, 7 + seen, -1) or ''
      local ttl = math.max(1, redis.call('PTTL', log))
      current = (current + 1) % 65536
      look = #ARGV[6] + room
      redis.call('SET', log, struct.pack('>I2I1I4', current, flagged, look) .. ARGV[6] .. tail, 'PX', ttl)
    else
      redis.call('SETRANGE', log, 0, struct.pack('>I2I1I4', current, flagged, look))
    end
  else
    grown = true
    redis.call('SETRANGE', log, 2, struct.pack('>I1', flagged))
  end
  -- By the log's own flag: this judgement may be older than the one that raised it.
  unjudged = grown and flagged == 1
end
local revised, waiting, hurry = {}, ARGV[9] == '1', false
if ARGV[5] == '1' and ARGV[10] ~= '' then
  -- A flagged address flags its network, so that the next success there is looked at.
  local length = redis.call('STRLEN', KEYS[4])
  if length == 0 then
    redis.call('SET', KEYS[4], struct.pack('>I2I1I4', 0, 1, tonumber(ARGV[12])), 'PX', ARGV[11])
    length = 7
  else
    redis.call('SETRANGE', KEYS[4], 2, '\1')
  end
  -- Who got in since it was read has not been seen: look again at once.
  hurry = length - 7 ~= tonumber(ARGV[10])
end
for i = 5, #KEYS do
  local at = 6 * i - 17
  local id, size, rank, final = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
  local told = redis.call('GET', KEYS[i])
  local told_size, told_rank = 0, -1
  if told then
    local a, b = string.match(told, '^(%d+) (%d+)$')
    told_size, told_rank = tonumber(a), tonumber(b)
  end
  if size > told_size then
    local worth = final or size >= 2 * told_size or rank > told_rank
    if worth and ARGV[at + 4] == '' then
      revised[#revised + 1] = '!' .. id
      waiting = true
    elseif worth then
      redis.call('SET', KEYS[i], ARGV[at + 1] .. ' ' .. ARGV[at + 2], 'PX', ARGV[8])
      redis.call('XADD', outbox, '*', 'id', id, 'body', ARGV[at + 4], 'kind', ARGV[at + 5])
      revised[#revised + 1] = id
    else
      waiting = true
    end
  end
end
if hurry then
  -- Before all others, but behind what was held back (engine.HELD_MS): under load there is always one more.
  redis.call('ZADD', unsettled, 2, ARGV[1])
elseif waiting or unjudged then
  redis.call('ZADD', unsettled, ARGV[7], ARGV[1])
elseif not grown and ARGV[9] ~= '2' then
  -- Only who has judged all there is may say that nothing is left to judge.
  redis.call('ZREM', unsettled, ARGV[1])
end
return revised
