import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Principal, Role } from '../core/principal.ts';
import type { TokenRecord, TokenStore } from '../ports/token-store/port.ts';
import { authorize, createAccess, OPERATIONS, type Operation, tokenDigest, tokenText } from './access.ts';

const adminToken = tokenText('admin', randomBytes(32));
const clock = { nowMs: 1_000_000 };

function setUp(allowAsserted = true) {
  const records = new Map<string, TokenRecord>();
  const tokens: TokenStore = {
    async put(record) {
      records.set(record.tokenDigest, record);
    },
    findByDigest: async (digest) => records.get(digest),
    isMinted: async (tenantId, agentId) =>
      [...records.values()].some((record) => record.tenantId === tenantId && record.agentId === agentId),
  };
  const access = createAccess({
    tokens,
    adminTokenDigest: tokenDigest(adminToken),
    allowAsserted,
    now: () => clock.nowMs,
    randomBytes,
  });
  return { access, records };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}`, local: true });
const asserted: Principal = { role: 'agent', provenance: 'asserted', subject: 'asserted' };
const person = (role: Role): Principal => ({ role, provenance: 'authenticated', subject: 'token:x' });

test('without a token one is asserted, only on loopback and only where that is allowed', async () => {
  const none = { authorization: undefined, local: true };
  await expect(setUp().access.authenticate(none)).resolves.toEqual(asserted);
  await expect(setUp().access.authenticate({ ...none, local: false })).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  await expect(setUp(false).access.authenticate(none)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a token that is malformed, unknown or for a role it does not have is refused, never asserted', async () => {
  const { access } = setUp();
  for (const authorization of [
    '',
    'Bearer',
    'Basic YTpi',
    'Bearer x',
    `Bearer ${tokenText('admin', randomBytes(32))}`,
  ]) {
    await expect(access.authenticate({ authorization, local: true }), authorization).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  }
});

test('a minted token binds tenant and agent and ends when it says', async () => {
  const { access, records } = setUp();
  const { token, record } = await access.mint({ role: 'agent', tenantId: 't', agentId: 'a', expiresInMs: 5000 });
  expect(token).toMatch(/^bcn_agent_[A-Za-z0-9_-]{43}$/);
  expect(JSON.stringify([...records.values()])).not.toContain(token);
  const principal = await access.authenticate(bearer(token));
  expect(principal).toMatchObject({ role: 'agent', provenance: 'authenticated', tenantId: 't', agentId: 'a' });
  await access.authorizeSubject(principal, 't', 'a');
  await expect(access.authorizeSubject(principal, 'u', 'a')).rejects.toMatchObject({
    code: 'permission_denied',
    field: 'tenant_id',
  });
  await expect(access.authorizeSubject(principal, 't', 'b')).rejects.toMatchObject({
    code: 'permission_denied',
    field: 'agent_id',
  });
  clock.nowMs = record.expiresAtMs;
  await expect(access.authenticate(bearer(token))).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('nobody can assert a name that has a token', async () => {
  const { access } = setUp();
  await access.authorizeSubject(asserted, 't', 'a');
  await access.mint({ role: 'agent', tenantId: 't', agentId: 'a' });
  await expect(access.authorizeSubject(asserted, 't', 'a')).rejects.toMatchObject({
    code: 'permission_denied',
    field: 'agent_id',
  });
  await access.authorizeSubject(asserted, 'other', 'a');
});

test('the admin token and people are bound to no agent', async () => {
  const { access } = setUp();
  const admin = await access.authenticate(bearer(adminToken));
  expect(admin.role).toBe('admin');
  await access.authorizeSubject(admin, 'any', 'one');
  const { token } = await access.mint({ role: 'auditor' });
  expect(await access.authenticate(bearer(token))).toMatchObject({ role: 'auditor', provenance: 'authenticated' });
});

/** Written out a second time on purpose: a change of the table must be meant. */
const MAY: Record<Role | 'asserted', readonly Operation[]> = (() => {
  const open: Operation[] = ['list_logs', 'get_checkpoint', 'get_hash_tile', 'get_keys', 'metrics', 'health'];
  const follow: Operation[] = ['get_action', 'wait_for_approval'];
  const propose: Operation[] = ['guard', 'execute', 'decide', 'open_action', 'record_assumption', 'update_outcome'];
  const own: Operation[] = ['get_score', 'get_receipt', 'get_proof', 'list_receipts'];
  const lists: Operation[] = ['list_approvals', 'list_scores', 'list_revocations'];
  const look: Operation[] = [...open, ...follow, ...own, ...lists, 'get_policy'];
  return {
    asserted: [...open, ...follow, ...propose],
    agent: [...open, ...follow, ...propose, ...own],
    auditor: [...look, 'get_entries'],
    operator: [...look, 'resolve_approval', 'revoke'],
    admin: Object.keys(OPERATIONS) as Operation[],
  };
})();

test('the table lets each caller do what it should and nothing else', () => {
  for (const operation of Object.keys(OPERATIONS) as Operation[]) {
    for (const caller of ['asserted', 'agent', 'auditor', 'operator', 'admin'] as const) {
      const principal = caller === 'asserted' ? asserted : person(caller);
      const code = caller === 'asserted' ? 'unauthenticated' : 'permission_denied';
      const attempt = () => authorize(principal, operation);
      if (MAY[caller].includes(operation)) expect(attempt, `${caller} ${operation}`).not.toThrow();
      else expect(attempt, `${caller} ${operation}`).toThrow(expect.objectContaining({ code }));
    }
  }
});
