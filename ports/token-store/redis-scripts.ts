// What happens to the shared tokens in one step on the server. The hash only grows; `born` and `version` say whether it
// still holds what its reader once saw there.

/** KEYS: the hash. ARGV: born and version as last seen, a field that must be new or '', field, value, … */
export const ADD = `
local born, version = unpack(redis.call('HMGET', KEYS[1], 'born', 'version'))
if born ~= ARGV[1] or tonumber(version or '-1') < tonumber(ARGV[2]) then return 'lost' end
if ARGV[3] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[3]) == 1 then return 'kept' end
for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
local next = string.format('%.0f', tonumber(version) + 1)
redis.call('HSET', KEYS[1], 'version', next)
return next`;

/** Gives back what was lost; the hash stays unbelieved until RENEW. ARGV: field, value, … */
export const RESTORE = `
for i = 1, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 'ok'`;

/**
 * ARGV: version as last seen, a new birth. A hash that was lost, wholly or in part, is born anew, so that every other
 * reader notices and gives back what it has too. Gives the whole hash.
 */
export const RENEW = `
local born, version = unpack(redis.call('HMGET', KEYS[1], 'born', 'version'))
local known = tonumber(version or '0')
if not born or not version or known < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'born', ARGV[2]) end
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', math.max(known, tonumber(ARGV[1])) + 1))
return redis.call('HGETALL', KEYS[1])`;

/** As a script, since a client may make something else of the plain command's answer. */
export const READ_ALL = `return redis.call('HGETALL', KEYS[1])`;
