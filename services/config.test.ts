import { expect, test } from 'vitest';
import { checkConfig, configKnobs, loadConfig } from './config.ts';
import { readSeparate, type Target } from './separate-config.ts';

test('an empty environment gives the documented defaults', () => {
  expect(loadConfig({ PATH: '/bin' }, '/home/p')).toMatchObject({
    dataDir: '/home/p/.local/state/beacon',
    http: { host: '127.0.0.1', port: 7500 },
    grpc: { host: '127.0.0.1', port: 7501 },
    allowAsserted: true,
    isolation: 'same_user',
    idempotencyTtlMs: 30 * 86_400_000,
    agentRate: 0,
    turn: { actions: 500, windowMs: 3_600_000 },
    session: { actions: 5_000, windowMs: 86_400_000 },
    zeroRetention: false,
  });
  expect(loadConfig({ XDG_STATE_HOME: '/x' }, '/h').dataDir).toBe('/x/beacon');
  expect(loadConfig({ XDG_STATE_HOME: 'relative' }, '/h').dataDir).toBe('/h/.local/state/beacon');
});

test('what is kept in a Redis of all is kept for a day', () => {
  for (const target of ['decision', 'receipt-signer'] as const) {
    expect(readSeparate(target, {}, '/h').config).toMatchObject({ idempotencyTtlMs: 86_400_000 });
  }
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

test('a policy server is spoken to over TLS, with keys to hold its bundle against, and not beside a folder', () => {
  const given = { BEACON_POLICY_URL: 'https://policy.example/beacon.tar.gz', BEACON_POLICY_KEYS: '/k' };
  const faults = (env: Record<string, string>) => checkConfig(env, '/h').map((fault) => fault.split(':')[0]);
  const files = { BEACON_POLICY_CA_FILE: '/ca', BEACON_POLICY_TOKEN_FILE: '/t', BEACON_POLICY_POLL_MS: '5000' };
  expect(faults({ ...given, ...files })).toEqual([]);
  expect(loadConfig({ ...given, ...files }, '/h')).toMatchObject({ policyCaFile: '/ca', policyPollMs: 5_000 });
  for (const url of [
    'http://127.0.0.1:8080/b',
    'http://localhost/b',
    'http://[::1]:1/b',
    'https://a.example:1/b?x=y',
  ]) {
    expect(faults({ ...given, BEACON_POLICY_URL: url }), url).toEqual([]);
  }
  for (const url of [
    'http://policy.example/b',
    'http://127.0.0.1.example/b',
    'http://10.0.0.1/b',
    'https://user:secret-value@a.example/b',
    'https://token@a.example/b',
    'https://a.example/b#x',
    'file:///b',
    'policy.example/b',
    '/b',
  ]) {
    expect(faults({ ...given, BEACON_POLICY_URL: url }), url).toEqual(['BEACON_POLICY_URL']);
    expect(checkConfig({ ...given, BEACON_POLICY_URL: url }, '/h').join()).not.toContain('secret-value');
  }
  expect(faults({ BEACON_POLICY_URL: given.BEACON_POLICY_URL })).toEqual(['BEACON_POLICY_KEYS']);
  expect(faults({ ...given, BEACON_POLICY_DIR: '/p' })).toEqual(['BEACON_POLICY_URL']);
  expect(faults({ ...files })).toEqual(['BEACON_POLICY_CA_FILE', 'BEACON_POLICY_TOKEN_FILE']);
  expect(faults({ ...given, BEACON_POLICY_CA_FILE: 'ca' })).toEqual(['BEACON_POLICY_CA_FILE']);
});

test('plain text stays on loopback; beyond it TLS, or the word that a proxy terminates it', () => {
  const faults = (env: Record<string, string>) => checkConfig(env, '/h').map((fault) => fault.split(':')[0]);
  const open = { BEACON_HTTP_LISTEN: '0.0.0.0:1', BEACON_GRPC_LISTEN: 'beacon.example:2' };
  const tls = { BEACON_AGENT_TLS_CERT_FILE: '/c', BEACON_AGENT_TLS_KEY_FILE: '/k' };
  const proxy = { BEACON_TLS_TERMINATED_BY_PROXY: 'true' };
  expect(faults(open)).toEqual(['BEACON_HTTP_LISTEN', 'BEACON_GRPC_LISTEN']);
  expect(faults({ BEACON_HTTP_LISTEN: '[::]:1' })).toEqual(['BEACON_HTTP_LISTEN']);
  expect(faults({ BEACON_HTTP_LISTEN: '127.0.0.1.evil:1' })).toEqual(['BEACON_HTTP_LISTEN']);
  for (const host of ['127.8.9.1', '[::1]', 'localhost']) {
    expect(faults({ BEACON_HTTP_LISTEN: `${host}:1`, BEACON_GRPC_LISTEN: `${host}:2` })).toEqual([]);
  }
  expect(faults({ ...open, ...tls })).toEqual([]);
  expect(faults({ ...open, ...proxy })).toEqual([]);
  expect(faults({ ...tls, ...proxy })).toEqual(['BEACON_TLS_TERMINATED_BY_PROXY']);
});

test('localhost is loopback, whatever a resolver would say', () => {
  const env = { BEACON_HTTP_LISTEN: 'localhost:1', BEACON_GRPC_LISTEN: 'localhost:2' };
  expect(loadConfig(env, '/h')).toMatchObject({
    http: { host: '127.0.0.1', port: 1 },
    grpc: { host: '127.0.0.1', port: 2 },
  });
});

test('the knobs of TLS go together', () => {
  const read = (env: Record<string, string>) => checkConfig(env, '/h').map((fault) => fault.split(':')[0]);
  const tls = { BEACON_AGENT_TLS_CERT_FILE: '/c', BEACON_AGENT_TLS_KEY_FILE: '/k' };
  const ca = { BEACON_AGENT_TLS_CLIENT_CA_FILE: '/ca' };
  expect(read({ BEACON_AGENT_TLS_CERT_FILE: '/c' })).toEqual(['BEACON_AGENT_TLS_CERT_FILE']);
  expect(read(ca)).toEqual(['BEACON_AGENT_TLS_CLIENT_CA_FILE']);
  expect(read({ ...tls, BEACON_AGENT_TLS_CLIENT_AUTH: 'require' })).toEqual(['BEACON_AGENT_TLS_CLIENT_AUTH']);
  expect(read({ ...tls, ...ca, BEACON_AGENT_TLS_CLIENT_AUTH: 'none' })).toEqual(['BEACON_AGENT_TLS_CLIENT_AUTH']);
  expect(read({ ...tls, ...ca, BEACON_AGENT_TRUST_DOMAIN: 'a/b' })).toEqual(['BEACON_AGENT_TRUST_DOMAIN']);
  expect(read({ BEACON_ADMIN_TOKEN_FILE: 'planted' })).toEqual(['BEACON_ADMIN_TOKEN_FILE']);
  expect(loadConfig({ ...tls, ...ca }, '/h').agentTls).toEqual({
    certFile: '/c',
    keyFile: '/k',
    clientCaFile: '/ca',
    clientAuth: 'optional',
    trustDomain: 'beacon',
  });
  expect(loadConfig(tls, '/h').agentTls?.clientAuth).toBe('none');
});

test('where agents have another user, services meet in sockets that it cannot take, or by certificate', () => {
  const faults = (env: Record<string, string>, target: Target = 'kill-switch') =>
    readSeparate(target, env, '/h').faults.map((fault) => fault.split(':')[0]);
  const shared = {
    BEACON_REDIS_URL: 'redis://127.0.0.1:1',
    BEACON_NATS_SERVERS: '127.0.0.1:1',
    BEACON_SERVICE_TOKENS: '/run/beacon/tokens',
    BEACON_ISOLATION: 'own_user',
  };
  const ports = { BEACON_SIGNERS: '127.0.0.1:2', BEACON_SERVICE_LISTEN: '127.0.0.1:3' };
  const sockets = { BEACON_SIGNERS: 'unix:/run/beacon/s', BEACON_SERVICE_LISTEN: 'unix:/run/beacon/k' };
  expect(faults({ ...shared, ...ports })).toEqual(['BEACON_SIGNERS', 'BEACON_SERVICE_LISTEN']);
  expect(faults({ ...shared, ...sockets, BEACON_SIGNERS: 'unix:/run/beacon/s,127.0.0.1:2' })).toEqual([
    'BEACON_SIGNERS',
  ]);
  expect(faults({ ...shared, ...sockets })).toEqual([]);
  expect(faults({ ...shared, ...ports, BEACON_ISOLATION: 'same_user' })).toEqual([]);
  const tls = { BEACON_TLS_CERT_FILE: '/c', BEACON_TLS_KEY_FILE: '/k', BEACON_TLS_CA_FILE: '/ca' };
  expect(faults({ ...shared, ...ports, ...tls })).toEqual([]);
  // Nobody calls a gateway over the mesh, so it listens nowhere on it.
  const dialed = ['DECISIONS', 'SIGNERS', 'KILL_SWITCH', 'SCORING'].map((name) => [
    `BEACON_${name}`,
    'unix:/run/beacon/x',
  ]);
  expect(faults({ ...shared, ...Object.fromEntries(dialed) }, 'gateway')).toEqual([]);
});
