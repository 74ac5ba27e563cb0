-- Writes down how an attempt ended, if the job is still this worker's.
-- KEYS[1] the queue's prefix · ARGV[1] id · ARGV[2] token · then fields and values
local prefix, id = KEYS[1], ARGV[1]
if redis.call('GET', prefix .. id .. ':lock') ~= ARGV[2] then return 0 end
redis.call('HSET', prefix .. id, unpack(ARGV, 3))
return 1
