-- Gives one back. KEYS[1] as in take.lua; ARGV: what one costs, in microseconds.
local paid = redis.call('GET', KEYS[1])
if paid then
  redis.call('SET', KEYS[1], string.format('%.0f', paid - ARGV[1]), 'KEEPTTL')
end
return 0
