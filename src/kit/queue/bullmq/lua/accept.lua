-- Which of some jobs may be added: 1, or 0 if the job is there already, or -1 if too many wait. Those
-- that may are entered in the indexes first, so that a crash before they are added leaves at worst an
-- entry of a job that does not exist; tidy.lua removes those.
-- KEYS[1] the queue's prefix · ARGV[1] how many may wait · ARGV[2] now, ms · then an id and an owner each
-- Returns how many wait, then an answer for each.
local prefix, most, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local waiting = redis.call('LLEN', prefix .. 'wait') + redis.call('LLEN', prefix .. 'paused')
  + redis.call('ZCARD', prefix .. 'prioritized') + redis.call('ZCARD', prefix .. 'delayed')
local answers = { 0 }
for i = 3, #ARGV, 2 do
  local id, owner = ARGV[i], ARGV[i + 1]
  if redis.call('EXISTS', prefix .. id) == 1 then
    answers[#answers + 1] = 0
  elseif waiting >= most then
    answers[#answers + 1] = -1
  else
    waiting = waiting + 1
    -- The order of acceptance: the millisecond, and within it a number that goes round.
    local number = redis.call('INCR', prefix .. 'voicera:number')
    redis.call('ZADD', prefix .. 'voicera:accepted', 'NX', now * 4096 + number % 4096, id .. '/' .. owner)
    redis.call('SADD', prefix .. 'voicera:owner:' .. owner, id)
    answers[#answers + 1] = 1
  end
end
answers[1] = waiting
return answers
