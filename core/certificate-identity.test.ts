import { expect, test } from 'vitest';
import { readCertificateIdentity } from './certificate-identity.ts';

const read = (...names: string[]) => readCertificateIdentity(names, 'example.org');

test('an agent and a person', () => {
  expect(read('spiffe://example.org/beacon/agent/acme/bot-1')).toEqual({
    kind: 'agent',
    tenantId: 'acme',
    agentId: 'bot-1',
  });
  expect(read('laptop.example.org', 'spiffe://example.org/beacon/person/ada')).toEqual({ kind: 'person', name: 'ada' });
});

test.each([
  [[]],
  [['bot-1.example.org']],
  [['spiffe://example.org/decision']],
  [['spiffe://other.org/beacon/agent/acme/bot-1']],
  [['spiffe://example.org.evil/beacon/agent/acme/bot-1']],
  [['spiffe://example.org/beacon/agent/acme']],
  [['spiffe://example.org/beacon/agent/acme/bot/1']],
  [['spiffe://example.org/beacon/agent/acme/']],
  [['spiffe://example.org/beacon/agent//bot']],
  [['spiffe://example.org/beacon/agent/acme/bot%2D1']],
  [['spiffe://example.org/beacon/agent/acme/a@b']],
  [['spiffe://example.org/beacon/agent/../bot']],
  [['spiffe://example.org/beacon/admin/ada']],
  [['SPIFFE://example.org/beacon/agent/acme/bot-1']],
  [['spiffe://example.org/beacon/agent/acme/a', 'spiffe://example.org/beacon/agent/acme/b']],
  [['spiffe://example.org/beacon/agent/acme/a', 'https://example.org']],
])('%j names nobody', (names) => {
  expect(read(...names)).toBeUndefined();
});
