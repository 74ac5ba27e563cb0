-- Takes one, by the generic cell rate algorithm: KEYS[1] holds the instant at which everything that was
-- taken is paid for, and expires then.
-- ARGV: what one costs, what a whole burst costs, now; all in microseconds. Without `now`, the server's.
-- Answers: 1 if it was taken, how many remain, how long until one can be, how long until a burst can be.
local every, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- No later than a burst from now, should a server's clock have been ahead of its successor's.
local paid = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst)
local room = now + burst - paid
if room < every then
  return {0, 0, every - room, paid - now}
end
paid = paid + every
redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', math.ceil((paid - now) / 1000))
return {1, math.floor((room - every) / every), 0, paid - now}
