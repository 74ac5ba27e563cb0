-- Takes back the jobs of workers that are no more: those in the list of active ones without a lock, and
-- without one already some time ago, so that a worker has had a chance to renew it (the server itself
-- may have been away).
--
-- A job that was alone in flight is to blame for the end of its process, and its attempt counts. Of several
-- nobody knows which it was: their attempts are forgiven, and where that has happened to a job before, it
-- waits until those before it have had their time. As even that may go on for ever, forgiveness has a
-- limit for each attempt that a job has.
-- KEYS[1] the queue's prefix · ARGV[1] between two looks, ms · ARGV[2] attempts of a job that does not say
-- ARGV[3] attempts forgiven for each · ARGV[4] how far apart jobs are tried that were forgiven, ms
-- Returns the ids of those taken back.
local prefix, gap = KEYS[1], tonumber(ARGV[1])
local unlocked = prefix .. 'voicera:unlocked'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local active = redis.call('LRANGE', prefix .. 'active', 0, -1)
local gone, seen, suspects = {}, {}, 0
for _, id in ipairs(active) do
  if redis.call('EXISTS', prefix .. id .. ':lock') == 0 then
    suspects = suspects + 1
    seen[id] = true
    local since = tonumber(redis.call('HGET', unlocked, id))
    if not since then
      redis.call('HSET', unlocked, id, now)
    elseif now - since >= gap then
      gone[#gone + 1] = id
    end
  end
end
if suspects == 0 then
  redis.call('DEL', unlocked)
  return gone
end
for _, id in ipairs(redis.call('HKEYS', unlocked)) do
  if not seen[id] then redis.call('HDEL', unlocked, id) end
end
if #gone == 0 then return gone end

-- Who was in flight with whom.
local crews, of = {}, {}
for _, id in ipairs(active) do
  local crew = redis.call('HGET', prefix .. id, 'pb') or ''
  crews[crew] = (crews[crew] or 0) + 1
  of[id] = crew
end
local dead = {}
for _, id in ipairs(gone) do dead[of[id]] = true end
for _, id in ipairs(active) do
  if dead[of[id]] and crews[of[id]] > 1 then redis.call('HSET', prefix .. id, 'company', 1) end
end

local waiting, later, place = {}, false, 0
-- The list begins with the youngest.
for i = #gone, 1, -1 do
  local id = gone[i]
  local key = prefix .. id
  redis.call('LREM', prefix .. 'active', 1, id)
  redis.call('HDEL', unlocked, id)
  redis.call('SREM', prefix .. 'stalled', id)
  if redis.call('EXISTS', key) == 1 then
    local job = redis.call('HMGET', key, 'atm', 'opts', 'forgiven', 'company')
    local read, opts = pcall(cjson.decode, job[2] or '{}')
    local attempts = read and tonumber(opts['attempts']) or tonumber(ARGV[2])
    local forgiven = tonumber(job[3]) or 0
    local begun = (tonumber(job[1]) or 0) + 1
    redis.call('HINCRBY', key, 'stc', 1)
    redis.call('HDEL', key, 'company')
    redis.call('HSET', key, 'failedReason', 'nothing was heard of attempt ' .. begun .. ' until its lock ran out')
    redis.call('XADD', prefix .. 'events', '*', 'event', 'stalled', 'jobId', id)
    local pause = 0
    if job[4] and forgiven < attempts * tonumber(ARGV[3]) then
      redis.call('HINCRBY', key, 'forgiven', 1)
      if forgiven > 0 then
        place = place + 1
        pause = place * tonumber(ARGV[4])
      end
    else
      redis.call('HSET', key, 'atm', begun)
    end
    if pause > 0 then
      redis.call('ZADD', prefix .. 'delayed', (now + pause) * 0x1000, id)
      redis.call('HSET', key, 'delay', pause, 'runAt', now + pause)
      redis.call('XADD', prefix .. 'events', '*', 'event', 'delayed', 'jobId', id, 'delay', now + pause)
      later = true
    else
      waiting[#waiting + 1] = id
    end
  end
end
if later then
  local first = redis.call('ZRANGE', prefix .. 'delayed', 0, 0, 'WITHSCORES')
  redis.call('ZADD', prefix .. 'marker', tonumber(first[2]) / 0x1000, '1')
end
-- Each goes to the front: the oldest last.
for i = #waiting, 1, -1 do
  local id = waiting[i]
  local priority = tonumber(redis.call('HGET', prefix .. id, 'priority')) or 0
  if priority > 0 then
    redis.call('ZADD', prefix .. 'prioritized', priority * 0x100000000, id)
  else
    redis.call('RPUSH', prefix .. 'wait', id)
  end
  redis.call('XADD', prefix .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'active')
end
if #waiting > 0 and redis.call('HEXISTS', prefix .. 'meta', 'paused') == 0 then
  redis.call('ZADD', prefix .. 'marker', 0, '0')
end
return gone
