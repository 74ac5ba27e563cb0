-- Says that a value is still being made, unless another makes it now.
-- KEYS as in look.lua. ARGV: who makes it; for how long that holds, in milliseconds.
if redis.call('GET', KEYS[2]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return 0
