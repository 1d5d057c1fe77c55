import { expect, test } from 'vitest';
import { readSidecar } from './sidecar-config.ts';

const fine = {
  BEACON_TENANT_ID: 'local',
  BEACON_AGENT_ID: 'demo',
  BEACON_AGENT_TOKEN_FILE: '/etc/beacon/agent.token',
  BEACON_RECEIPT_KEYS_FILE: '/etc/beacon/jwks.json',
  BEACON_GATEWAYS: 'gateway.example:7501,[::1]:7501,unix:/run/beacon/gateway.sock',
  BEACON_CALLER_TOKEN_FILE: '/run/beacon/caller.token',
};
/** Names of the knobs at fault; undefined takes one away. */
const faults = (change: Record<string, string | undefined>) =>
  readSidecar({ ...fine, ...change }).faults.map((fault) => fault.split(':')[0]);

test('a whole configuration is taken', () => {
  const { config, faults: none } = readSidecar(fine);
  expect(none).toEqual([]);
  expect(config).toMatchObject({
    agentId: 'demo',
    http: '127.0.0.1:7500',
    grpc: '127.0.0.1:7501',
    openLoopback: false,
  });
  expect(config.gateways).toHaveLength(3);
});

test.each<[string, Record<string, string | undefined>, string]>([
  ['no gateway', { BEACON_GATEWAYS: undefined }, 'BEACON_GATEWAYS'],
  ['no name', { BEACON_AGENT_ID: undefined }, 'BEACON_AGENT_ID'],
  ['a name that is none', { BEACON_TENANT_ID: 'a b' }, 'BEACON_TENANT_ID'],
  ['no keys to believe', { BEACON_RECEIPT_KEYS_FILE: undefined }, 'BEACON_RECEIPT_KEYS_FILE'],
  ['a relative path', { BEACON_RECEIPT_KEYS_FILE: 'jwks.json' }, 'BEACON_RECEIPT_KEYS_FILE'],
  ['no credential', { BEACON_AGENT_TOKEN_FILE: undefined }, 'BEACON_AGENT_TOKEN_FILE'],
  [
    'two credentials',
    { BEACON_AGENT_CERT_FILE: '/c', BEACON_AGENT_KEY_FILE: '/k', BEACON_GATEWAY_CA_FILE: '/a' },
    'BEACON_AGENT_TOKEN_FILE',
  ],
  [
    'a certificate without TLS',
    { BEACON_AGENT_TOKEN_FILE: undefined, BEACON_AGENT_CERT_FILE: '/c', BEACON_AGENT_KEY_FILE: '/k' },
    'BEACON_AGENT_CERT_FILE',
  ],
  ['a door to the network', { BEACON_HTTP_LISTEN: '0.0.0.0:7500' }, 'BEACON_HTTP_LISTEN'],
  ['a door with a name', { BEACON_GRPC_LISTEN: 'localhost:7501' }, 'BEACON_GRPC_LISTEN'],
  ['one door twice', { BEACON_GRPC_LISTEN: '127.0.0.1:7500' }, 'BEACON_GRPC_LISTEN'],
  ['nobody asked for a token', { BEACON_CALLER_TOKEN_FILE: undefined }, 'BEACON_CALLER_TOKEN_FILE'],
  ['what is for others', { BEACON_DATA_DIR: '/var/lib/beacon' }, 'BEACON_DATA_DIR'],
])('%s stops the start', (_, change, name) => {
  expect(faults(change)).toEqual([name]);
});

test('open where it is said, and on unix sockets', () => {
  const without = { BEACON_CALLER_TOKEN_FILE: undefined };
  expect(faults({ ...without, BEACON_OPEN_LOOPBACK: 'true' })).toEqual([]);
  const sockets = { BEACON_HTTP_LISTEN: 'unix:/run/b/http.sock', BEACON_GRPC_LISTEN: 'unix:/run/b/grpc.sock' };
  expect(faults({ ...without, ...sockets })).toEqual([]);
});
