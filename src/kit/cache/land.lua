-- Ends the making of a value, unless it has taken so long that another makes it now: then that counts.
-- KEYS as in look.lua. ARGV: who made it; for how long it is kept, in milliseconds, or 0; the value, if
-- it is small enough; how long one that is not kept waits for those who wait for it, in milliseconds.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[2])
if ARGV[3] == '' then
  return 1
end
if ARGV[2] == '0' then
  redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
end
return 1
