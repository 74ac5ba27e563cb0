-- Renews the locks of jobs in flight. A lock that ran out while its worker or the server was suspended is
-- taken again if nobody has taken the job over. Returns the ids of those that are lost.
-- KEYS[1] the queue's prefix · ARGV[1] how long a lock lasts, ms · then an id and a token each
local prefix, lost = KEYS[1], {}
for i = 2, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local lock = prefix .. id .. ':lock'
  local holder = redis.call('GET', lock)
  if holder == token or (not holder and redis.call('LPOS', prefix .. 'active', id)) then
    redis.call('SET', lock, token, 'PX', ARGV[1])
    redis.call('SREM', prefix .. 'stalled', id)
    redis.call('HDEL', prefix .. 'voicera:unlocked', id)
  else
    lost[#lost + 1] = id
  end
end
return lost
