-- Takes jobs that are no more out of the indexes.
-- KEYS[1] the queue's prefix · ARGV entries of the index of acceptance, "id/owner"
local prefix, removed = KEYS[1], 0
for _, entry in ipairs(ARGV) do
  local id, owner = string.match(entry, '^(.*)/(.*)$')
  if id and redis.call('EXISTS', prefix .. id) == 0 then
    removed = removed + redis.call('ZREM', prefix .. 'voicera:accepted', entry)
    redis.call('SREM', prefix .. 'voicera:owner:' .. owner, id)
  end
end
return removed
