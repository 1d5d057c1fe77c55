import { expect, test } from 'vitest';
import { checkConfig, configKnobs, loadConfig } from './config.ts';

test('an empty environment gives the documented defaults', () => {
  expect(loadConfig({ PATH: '/bin' }, '/home/p')).toMatchObject({
    dataDir: '/home/p/.local/state/beacon',
    http: { host: '127.0.0.1', port: 7500 },
    grpc: { host: '127.0.0.1', port: 7501 },
    allowAsserted: true,
    isolation: 'same_user',
    idempotencyTtlMs: 30 * 86_400_000,
    agentRate: 0,
    zeroRetention: false,
  });
  expect(loadConfig({ XDG_STATE_HOME: '/x' }, '/h').dataDir).toBe('/x/beacon');
  expect(loadConfig({ XDG_STATE_HOME: 'relative' }, '/h').dataDir).toBe('/h/.local/state/beacon');
});

test('every fault is named at once, and no value is repeated', () => {
  const env = {
    BEACON_DATA_DIR: 'planted',
    BEACON_HTTP_LISTEN: 'secret-value',
    BEACON_GRPC_LISTEN: '127.0.0.1:99999',
    BEACON_LEASE_MS: '12e3',
    BEACON_ALLOW_ASSERTED: 'yes',
    BEACON_ISOLATION: 'none',
    BEACON_MAX_IN_FLIGHT: '-1',
    BEACON_LOG_LEVEL: '',
    BEACON_ALOW_ASSERTED: 'false',
    BEACON_URL: 'http://127.0.0.1:7500',
  };
  const faults = checkConfig(env, '/h');
  const names = faults.map((fault) => fault.split(':')[0]).sort();
  expect(names).toEqual(
    Object.keys(env)
      .filter((name) => name !== 'BEACON_URL')
      .sort(),
  );
  expect(faults.join()).not.toContain('secret-value');
  expect(() => loadConfig(env, '/h')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('one address cannot serve both', () => {
  expect(checkConfig({ BEACON_HTTP_LISTEN: '[::1]:1', BEACON_GRPC_LISTEN: '[::1]:1' }, '/h')).toHaveLength(1);
  expect(checkConfig({ BEACON_HTTP_LISTEN: '[::1]:0', BEACON_GRPC_LISTEN: '[::1]:0' }, '/h')).toEqual([]);
});

test('every knob is documented, once', () => {
  const knobs = configKnobs();
  expect(new Set(knobs.map((knob) => knob.name)).size).toBe(knobs.length);
  for (const { name, doc } of knobs) expect(doc, name).toMatch(/^[\w$].+\.$/);
});

test('a policy folder and its keys go together, and neither depends on where Beacon was started', () => {
  const faults = (env: Record<string, string>) => checkConfig(env, '/h').map((fault) => fault.split(':')[0]);
  expect(faults({ BEACON_POLICY_DIR: '/p', BEACON_POLICY_KEYS: '/k' })).toEqual([]);
  expect(faults({ BEACON_POLICY_DIR: '/p' })).toHaveLength(1);
  expect(faults({ BEACON_POLICY_KEYS: '/k' })).toHaveLength(1);
  expect(faults({ BEACON_POLICY_DIR: 'p', BEACON_POLICY_KEYS: 'k' })).toEqual([
    'BEACON_POLICY_DIR',
    'BEACON_POLICY_KEYS',
  ]);
});
