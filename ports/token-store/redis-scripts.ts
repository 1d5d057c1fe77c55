// What happens to the shared tokens in one step on the server. The hash only grows, and `version` with it, by a random
// step each time: two histories of one hash do not come to the same version.

/** KEYS: the hash. ARGV: version as last seen, step, a field that must be new or '', field, value, … Gives old, new. */
export const ADD = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version or tonumber(version) < tonumber(ARGV[1]) then return 'lost' end
if ARGV[3] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[3]) == 1 then return 'kept' end
for i = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
local next = string.format('%.0f', tonumber(version) + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'version', next)
return {version, next}`;

/** Gives back what was lost; a hash that was lost wholly stays unbelieved until RENEW. ARGV: field, value, … */
export const RESTORE = `
for i = 1, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 'ok'`;

/** ARGV: version as last seen, step. Gives the whole hash. */
export const RENEW = `
local known = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local next = math.max(known, tonumber(ARGV[1])) + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', next))
return redis.call('HGETALL', KEYS[1])`;

/** As a script, since a client may make something else of the plain command's answer. */
export const READ_ALL = `return redis.call('HGETALL', KEYS[1])`;
