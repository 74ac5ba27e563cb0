-- Takes jobs that are no more out of the indexes; answers the entries of those that are still there.
-- KEYS[1] the queue's prefix · ARGV entries of the index of acceptance, "id/owner"
local prefix, keys, ids, owners = KEYS[1], {}, {}, {}
for i, entry in ipairs(ARGV) do
  ids[i], owners[i] = string.match(entry, '^(.*)/(.*)$')
  keys[i] = prefix .. (ids[i] or '')
end
-- Mostly all are gone, and one look tells.
local all_gone = #keys == 0 or redis.call('EXISTS', unpack(keys)) == 0
local gone, owned, still = {}, {}, {}
for i, entry in ipairs(ARGV) do
  if ids[i] and (all_gone or redis.call('EXISTS', keys[i]) == 0) then
    gone[#gone + 1] = entry
    owned[owners[i]] = owned[owners[i]] or {}
    table.insert(owned[owners[i]], ids[i])
  else
    still[#still + 1] = entry
  end
end
if #gone > 0 then redis.call('ZREM', prefix .. 'voicera:accepted', unpack(gone)) end
for owner, some in pairs(owned) do redis.call('SREM', prefix .. 'voicera:owner:' .. owner, unpack(some)) end
return still
