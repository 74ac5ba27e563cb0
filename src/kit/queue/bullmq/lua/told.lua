-- Writes into a dead job that its handler has been told.
-- KEYS[1] the queue's prefix · ARGV[1] id
if redis.call('EXISTS', KEYS[1] .. ARGV[1]) == 1 then redis.call('HSET', KEYS[1] .. ARGV[1], 'told', 1) end
return 1
