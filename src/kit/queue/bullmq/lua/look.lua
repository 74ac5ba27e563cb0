-- How jobs stand, and what they are: for each id nothing, or its state and the fields named.
-- KEYS[1] the queue's prefix · ARGV[1] how many fields · the fields · the ids
local prefix, count = KEYS[1], tonumber(ARGV[1])
local fields = {}
for i = 2, count + 1 do fields[#fields + 1] = ARGV[i] end
local found = {}
for i = count + 2, #ARGV do
  local id = ARGV[i]
  local key = prefix .. id
  if redis.call('HEXISTS', key, 'data') == 0 then
    found[#found + 1] = false
  else
    -- Looking through the list of those that wait would take the longer the longer it is: whoever is
    -- nowhere else is there.
    local state = 'waiting'
    for _, set in ipairs({ 'completed', 'failed', 'delayed' }) do
      if redis.call('ZSCORE', prefix .. set, id) then state = set end
    end
    if state == 'waiting' and (redis.call('EXISTS', key .. ':lock') == 1
        or redis.call('LPOS', prefix .. 'active', id)) then
      state = 'active'
    end
    found[#found + 1] = { state, redis.call('HMGET', key, unpack(fields)) }
  end
end
return found
