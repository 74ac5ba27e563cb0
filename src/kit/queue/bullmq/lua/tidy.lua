-- Takes jobs that are no more out of the indexes; answers the entries of those that are still there.
-- KEYS[1] the queue's prefix · ARGV entries of the index of acceptance, "id/owner"
local prefix, still = KEYS[1], {}
for _, entry in ipairs(ARGV) do
  local id, owner = string.match(entry, '^(.*)/(.*)$')
  if id and redis.call('EXISTS', prefix .. id) == 0 then
    redis.call('ZREM', prefix .. 'voicera:accepted', entry)
    redis.call('SREM', prefix .. 'voicera:owner:' .. owner, id)
  else
    table.insert(still, entry)
  end
end
return still
