// What redis.ts has Redis do in one step. Rows are hashes {log, at, record, …}; an index holds the rows' keys.

// Redis undoes nothing of a script that fails half way, and a row without its indexes would pass for recorded. So a script
// that writes several keys reads them first: one of another type fails it there.

export const ADVANCE = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(ARGV[2]) > tonumber(known) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1`;

/** ARGV: log, to, from. A position that is not there was lost with all it stood for. */
export const ADVANCE_FROM = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(known) < tonumber(ARGV[3]) then return 0 end
if tonumber(ARGV[2]) > tonumber(known) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1`;

/** KEYS: rows. ARGV: log. */
export const RECORDED = `
local found = {}
for i, row in ipairs(KEYS) do
  local kept = redis.call('HMGET', row, 'log', 'at')
  found[i] = kept[1] == ARGV[1] and tonumber(kept[2]) or -1
end
return found`;

/** Gives a claim back, unless it ended and is another's now. */
export const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Of one log the earlier, of two the one that has not come further (standing.ts). `standing`: the argument it is given in. */
const stale = (standing: string) => `
local standing = tonumber(${standing})
if kept[1] == ARGV[1] then
  if tonumber(ARGV[2]) <= tonumber(kept[2]) then return 0 end
elseif kept[1] and standing <= tonumber(kept[3] or '-1') then
  return 0
end`;

/**
 * KEYS: row, open, guarded, permit, open of this agent. ARGV: log, at, record, state, permit id, permit's end, deadline,
 * life (0: for ever), permits ended before this are forgotten, standing. The row remembers its permit's key: a permit taken
 * away is found no more.
 */
export const PUT_ACTION = `
for _, index in ipairs({KEYS[2], KEYS[3], KEYS[5]}) do redis.call('ZRANGE', index, 0, 0) end
local kept = redis.call('HMGET', KEYS[1], 'log', 'at', 'standing', 'permit')
${stale('ARGV[10]')}
local row, open, guarded, permit = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local state, life, permitted = ARGV[4], tonumber(ARGV[8]), ARGV[5] ~= ''
if kept[4] and kept[4] ~= permit then redis.call('DEL', kept[4]) end
redis.call('HSET', row, 'log', ARGV[1], 'at', ARGV[2], 'record', ARGV[3], 'permit', permit, 'standing', standing)
if permitted then redis.call('SET', permit, row) end
for _, key in ipairs({row, permit}) do
  if life == 0 then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ARGV[8]) end
end
for _, index in ipairs({open, KEYS[5]}) do
  if state == 'open' then redis.call('ZADD', index, ARGV[7], row) else redis.call('ZREM', index, row) end
end
if state == 'guarded' and permitted then
  redis.call('ZADD', guarded, ARGV[6], row)
else
  redis.call('ZREM', guarded, row)
end
redis.call('ZREMRANGEBYSCORE', guarded, '-inf', '(' .. ARGV[9])
return 1`;

/**
 * KEYS: row, the approved of this agent, pending of the tenant, pending of all. ARGV: log, at, record, status, requested
 * at, life, standing, most approved, end, ended before this are no longer listed. Of more than may be approved the one that
 * ends first is forgotten. Nobody writes that an approval was not answered: of the oldest pending ones each write forgets
 * more than it adds.
 */
export const PUT_APPROVAL = `
redis.call('HLEN', KEYS[2])
for i = 3, 4 do redis.call('ZRANGE', KEYS[i], 0, 0) end
local kept = redis.call('HMGET', KEYS[1], 'log', 'at', 'standing')
${stale('ARGV[7]')}
local row, approved, status, life = KEYS[1], KEYS[2], ARGV[4], tonumber(ARGV[6])
redis.call('HSET', row, 'log', ARGV[1], 'at', ARGV[2], 'record', ARGV[3], 'standing', standing, 'ends', ARGV[9])
redis.call('PEXPIRE', row, ARGV[6])
if status == 'approved' then
  redis.call('HSET', approved, row, ARGV[3])
  if redis.call('PTTL', approved) < life then redis.call('PEXPIRE', approved, ARGV[6]) end
  if redis.call('HLEN', approved) > tonumber(ARGV[8]) then
    local rows, first, ends = redis.call('HGETALL', approved), nil, math.huge
    for i = 1, #rows, 2 do
      local at = cjson.decode(rows[i + 1]).notAfterMs
      if at < ends then first, ends = rows[i], at end
    end
    redis.call('HDEL', approved, first)
  end
else
  redis.call('HDEL', approved, row)
end
for i = 3, 4 do
  if status == 'pending' then redis.call('ZADD', KEYS[i], ARGV[5], row) else redis.call('ZREM', KEYS[i], row) end
  for _, old in ipairs(redis.call('ZRANGE', KEYS[i], 0, 3)) do
    local ends = redis.call('HGET', old, 'ends') or redis.call('EXISTS', old) == 0 and '0'
    if ends and tonumber(ends) < tonumber(ARGV[10]) then redis.call('ZREM', KEYS[i], old) end
  end
end
return 1`;
