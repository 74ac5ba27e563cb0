-- Looks for a value; whoever finds none and nobody at it is to make it.
-- KEYS: the value; who makes it; what was made and is not to be kept.
-- ARGV: who asks; how long they have to make it, in milliseconds; 1 if they have been waiting for it.
-- Answers what there is to do, the value if there is one, and how long it is good for, in milliseconds.
local FOUND, PASSED, MAKE, WAIT = 0, 1, 2, 3

local value = redis.call('GET', KEYS[1])
if value then
  return {FOUND, value, redis.call('PTTL', KEYS[1])}
end
-- Meant for those who were there when it was made, and for nobody else.
value = ARGV[3] == '1' and redis.call('GET', KEYS[3])
if value then
  return {PASSED, value, 0}
end
-- Who asks again while making it has given up in between: one process asks once at a time.
local maker = redis.call('GET', KEYS[2])
if not maker or maker == ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return {MAKE, '', 0}
end
return {WAIT, '', 0}
