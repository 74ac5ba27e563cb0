-- Takes jobs in: 1 for each that is accepted, or 0 if it is there already, or -1 if too many wait.
--
-- Plain ones are added here, the whole batch in one go, as BullMQ's addStandardJob adds each: this is that
-- script for jobs that have an id of their own and neither parent, schedule nor deduplication, and what does
-- not depend on the job is done once. The others are added by the port, which is told that they may be; they
-- are entered in the indexes first, so that a crash before they are added leaves at worst an entry of a job
-- that does not exist; tidy.lua removes those.
-- KEYS[1] the queue's prefix · ARGV[1] how many may wait · ARGV[2] now, ms · then of each job its id, owner,
-- name, data and options, both JSON; the last two empty if the port adds it
local prefix, most, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local wait, events, meta = prefix .. 'wait', prefix .. 'events', prefix .. 'meta'
local waiting = redis.call('LLEN', wait) + redis.call('LLEN', prefix .. 'paused')
  + redis.call('ZCARD', prefix .. 'prioritized') + redis.call('ZCARD', prefix .. 'delayed')
-- A queue that has no limit yet gets BullMQ's own.
local kept = redis.call('HGET', meta, 'opts.maxLenEvents')
local answers, accepted, added = {}, {}, {}
for i = 3, #ARGV, 5 do
  local id, data = ARGV[i], ARGV[i + 3]
  local job = prefix .. id
  if redis.call('EXISTS', job) == 1 then
    answers[#answers + 1] = 0
  elseif waiting >= most then
    answers[#answers + 1] = -1
  else
    answers[#answers + 1] = 1
    accepted[#accepted + 1] = i
    waiting = waiting + 1
    if data ~= '' then
      if not kept then
        kept = 10000
        redis.call('HSET', meta, 'opts.maxLenEvents', kept)
      end
      redis.call('HSET', job, 'name', ARGV[i + 2], 'data', data, 'opts', ARGV[i + 4], 'timestamp', ARGV[2],
        'delay', 0, 'priority', 0)
      redis.call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', ARGV[i + 2])
      redis.call('XADD', events, 'MAXLEN', '~', kept, '*', 'event', 'waiting', 'jobId', id)
      added[#added + 1] = id
    end
  end
end

if #added > 0 then
  redis.call('INCRBY', prefix .. 'id', #added)
  redis.call('LPUSH', wait, unpack(added))
  local paused, concurrency = unpack(redis.call('HMGET', meta, 'paused', 'concurrency'))
  if not paused and not (concurrency and redis.call('LLEN', prefix .. 'active') >= tonumber(concurrency)) then
    redis.call('ZADD', prefix .. 'marker', 0, '0')
  end
end

if #accepted > 0 then
  -- The order of acceptance: the millisecond, and within it a number that goes round.
  local number = redis.call('INCRBY', prefix .. 'voicera:number', #accepted) - #accepted
  local entries, owned = {}, {}
  for place, i in ipairs(accepted) do
    local id, owner = ARGV[i], ARGV[i + 1]
    entries[#entries + 1] = now * 4096 + (number + place) % 4096
    entries[#entries + 1] = id .. '/' .. owner
    owned[owner] = owned[owner] or {}
    table.insert(owned[owner], id)
  end
  redis.call('ZADD', prefix .. 'voicera:accepted', 'NX', unpack(entries))
  for owner, ids in pairs(owned) do redis.call('SADD', prefix .. 'voicera:owner:' .. owner, unpack(ids)) end
end
return answers
