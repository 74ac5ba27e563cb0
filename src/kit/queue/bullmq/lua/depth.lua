-- How many jobs wait, are delayed, active and dead, and since when the longest waiting one has been
-- allowed to run, in ms, 0 if none waits. Looks once into each priority, not at each job.
-- KEYS[1] the queue's prefix
local prefix = KEYS[1]
-- A server that takes no writes takes no jobs: this fails there.
redis.call('SET', prefix .. 'voicera:written', 1, 'EX', 60)
local oldest = 0
local function consider(id)
  local job = redis.call('HMGET', prefix .. id, 'runAt', 'timestamp', 'opts')
  local at = tonumber(job[1])
  if not at and job[2] then
    local read, opts = pcall(cjson.decode, job[3] or '{}')
    at = tonumber(job[2]) + (read and tonumber(opts['delay']) or 0)
  end
  if at and (oldest == 0 or at < oldest) then oldest = at end
end
for _, list in ipairs({ 'wait', 'paused' }) do
  local next = redis.call('LINDEX', prefix .. list, -1)
  if next then consider(next) end
end
local from = 0
for _ = 1, 300 do
  local first = redis.call('ZRANGEBYSCORE', prefix .. 'prioritized', from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if not first[1] then break end
  consider(first[1])
  from = (math.floor(tonumber(first[2]) / 0x100000000) + 1) * 0x100000000
end
return {
  redis.call('LLEN', prefix .. 'wait') + redis.call('LLEN', prefix .. 'paused')
    + redis.call('ZCARD', prefix .. 'prioritized'),
  redis.call('ZCARD', prefix .. 'delayed'),
  redis.call('LLEN', prefix .. 'active'),
  redis.call('ZCARD', prefix .. 'failed'),
  oldest,
}
