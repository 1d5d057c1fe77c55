// Who is asking, as it travels between services: nothing is lost on the way, and what cannot be meant is refused.

import { expect, test } from 'vitest';
import type { Principal } from '../core/principal.ts';
import { contextHeaders, PRINCIPAL_HEADER, readPrincipal } from './call-metadata.ts';

const AGENT: Principal = {
  role: 'agent',
  provenance: 'authenticated',
  subject: 'token:1',
  tenantId: 't',
  agentId: 'a',
  expiresAtMs: 1_900_000_000_000,
};
const headerOf = (principal: object) =>
  contextHeaders({ principal: principal as Principal, deadlineMs: 0, requestDigest: '', traceId: '' })[
    PRINCIPAL_HEADER
  ];
const read = (principal: object) => readPrincipal(headerOf(principal), 'service:gateway');

test('every kind of caller arrives as it was sent, the end of its token too', () => {
  const { tenantId: _, agentId: __, ...unbound } = AGENT;
  const callers = [
    AGENT,
    { ...unbound, role: 'operator' },
    { role: 'admin', provenance: 'authenticated', subject: 'token:admin' },
    { role: 'agent', provenance: 'asserted', subject: 'asserted' },
  ];
  for (const caller of callers) expect(read(caller)).toEqual(caller);
});

test.each([
  { ...AGENT, expiresAtMs: 'never' },
  { ...AGENT, expiresAtMs: Number.POSITIVE_INFINITY },
  { ...AGENT, agentId: undefined },
  { ...AGENT, role: 'root' },
  { ...AGENT, subject: 'service:decision' },
  { ...AGENT, more: true },
])('refused: %j', (principal) => {
  expect(() => read(principal)).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
});
