import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import type { Principal, Role } from '../core/principal.ts';
import { MemoryTokenStore } from '../ports/token-store/memory.ts';
import type { TokenRecord } from '../ports/token-store/port.ts';
import {
  authorize,
  type CertificateRules,
  createAccess,
  OPERATIONS,
  type Operation,
  type ShownCertificate,
  tokenDigest,
  tokenText,
} from './access.ts';

const adminToken = tokenText('admin', randomBytes(32));
const clock = { nowMs: 1_000_000 };

function setUp(allowAsserted = true, certificates?: CertificateRules) {
  const records = new Map<string, TokenRecord>();
  const tokens = new (class extends MemoryTokenStore {
    override async put(record: TokenRecord) {
      records.set(record.tokenDigest, record);
      await super.put(record);
    }
  })();
  const access = createAccess({
    tokens,
    adminTokenDigest: tokenDigest(adminToken),
    allowAsserted,
    certificates,
    now: () => clock.nowMs,
    randomBytes,
  });
  return { access, records, tokens };
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

test('a revoked token opens nothing any more, and another of the same agent still does', async () => {
  const { access } = setUp();
  const mint = () => access.mint({ role: 'agent', tenantId: 't', agentId: 'a' });
  const [first, second] = [await mint(), await mint()];
  expect((await access.revokeToken(first.record.tokenId)).tokenId).toBe(first.record.tokenId);
  await expect(access.authenticate(bearer(first.token))).rejects.toMatchObject({ code: 'unauthenticated' });
  expect((await access.authenticate(bearer(second.token))).agentId).toBe('a');
  await expect(access.revokeToken('nobody')).rejects.toMatchObject({ code: 'not_found' });
});

const rules = (required = false): CertificateRules => ({
  required,
  trustDomain: 'example.org',
  namesService: (names) => names.includes('spiffe://beacon/decision'),
});
const shown = (name = 'agent/t/a', change: Partial<ShownCertificate> = {}): ShownCertificate => ({
  names: [`spiffe://example.org/beacon/${name}`],
  notAfterMs: clock.nowMs + 60_000,
  fault: undefined,
  ...change,
});
const showing = (certificate: ShownCertificate | undefined, token?: string) => ({
  authorization: token === undefined ? undefined : `Bearer ${token}`,
  local: true,
  certificate,
});

test('a certificate is the agent it names, as a minted token would be, and never more', async () => {
  const { access } = setUp(true, rules());
  const principal = await access.authenticate(showing(shown()));
  expect(principal).toEqual({
    role: 'agent',
    provenance: 'authenticated',
    subject: 'certificate:t/a',
    tenantId: 't',
    agentId: 'a',
    expiresAtMs: clock.nowMs + 60_000,
  });
  await access.authorizeSubject(principal, 't', 'a');
  await expect(access.authorizeSubject(principal, 't', 'b')).rejects.toMatchObject({ code: 'permission_denied' });
  // The name is kept for it, as minting keeps a name.
  await expect(access.authorizeSubject(asserted, 't', 'a')).rejects.toMatchObject({ code: 'permission_denied' });
  await access.authorizeSubject(asserted, 't', 'b');
  for (const role of ['admin', 'operator', 'auditor']) {
    const said = access.authenticate(showing(shown(`${role}/x`)));
    await expect(said).rejects.toMatchObject({ code: 'permission_denied' });
  }
});

test('a certificate that does not hold is refused, though a token or the loopback alone would do', async () => {
  const { access } = setUp(true, rules());
  const { token } = await access.mint({ role: 'agent', tenantId: 't', agentId: 'a' });
  const broken: [string, ShownCertificate][] = [
    ['unauthenticated', shown('agent/t/a', { fault: 'CERT_HAS_EXPIRED' })],
    ['unauthenticated', shown('agent/t/a', { notAfterMs: clock.nowMs })],
    ['permission_denied', shown('agent/t')],
    ['permission_denied', shown('agent/t/a', { names: [] })],
    ['permission_denied', shown('agent/t/a', { names: ['spiffe://other.org/beacon/agent/t/a'] })],
    ['permission_denied', shown('agent/t/a', { names: ['spiffe://beacon/decision'] })],
  ];
  for (const [code, certificate] of broken) {
    await expect(access.authenticate(showing(certificate))).rejects.toMatchObject({ code });
    await expect(access.authenticate(showing(certificate, token))).rejects.toMatchObject({ code });
    await expect(access.authenticate(showing(certificate, adminToken))).rejects.toMatchObject({ code });
  }
});

test('a certificate that names a service beside an agent is for neither', async () => {
  const rule = { ...rules(), namesService: (names: readonly string[]) => names.includes('decision.beacon') };
  const both = shown('agent/t/a', { names: ['spiffe://example.org/beacon/agent/t/a', 'decision.beacon'] });
  await expect(setUp(true, rule).access.authenticate(showing(both))).rejects.toMatchObject({
    code: 'permission_denied',
  });
});

test('a certificate and a token are for the same caller, or for none', async () => {
  const { access } = setUp(true, rules());
  const mint = async (agentId: string) => (await access.mint({ role: 'agent', tenantId: 't', agentId })).token;
  const own = await access.authenticate(showing(shown(), await mint('a')));
  expect(own).toMatchObject({ role: 'agent', agentId: 'a', subject: expect.stringMatching(/^token:/) });
  const person = shown('person/ada');
  expect((await access.authenticate(showing(person, adminToken))).role).toBe('admin');
  await expect(access.authenticate(showing(person))).rejects.toMatchObject({ code: 'unauthenticated' });
  for (const [certificate, token] of [
    [shown(), await mint('b')],
    [shown('agent/u/a'), await mint('a')],
    [shown(), adminToken],
    [person, await mint('a')],
  ] as const) {
    await expect(access.authenticate(showing(certificate, token))).rejects.toMatchObject({ code: 'permission_denied' });
  }
  await expect(access.authenticate(showing(shown(), 'bcn_agent_wrong'))).rejects.toMatchObject({
    code: 'unauthenticated',
  });
});

test('where certificates are required, neither a token nor the loopback does without', async () => {
  const { access } = setUp(true, rules(true));
  for (const token of [undefined, adminToken]) {
    await expect(access.authenticate(showing(undefined, token))).rejects.toMatchObject({ code: 'unauthenticated' });
  }
  expect((await access.authenticate(showing(shown()))).agentId).toBe('a');
});

test('a token store that cannot be reached denies, and nobody is let in as asserted instead', async () => {
  const { access, tokens } = setUp(true, rules());
  const { token } = await access.mint({ role: 'agent', tenantId: 't', agentId: 'a' });
  const away = async () => {
    throw new BeaconError('unavailable', 'away');
  };
  Object.assign(tokens, { findByDigest: away, isMinted: away, claim: away });
  for (const ask of [
    () => access.authenticate(bearer(token)),
    () => access.authenticate(showing(shown())),
    () => access.authorizeSubject(asserted, 't', 'other'),
  ]) {
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
  }
});

/** Written out a second time on purpose: a change of the table must be meant. */
const MAY: Record<Role | 'asserted', readonly Operation[]> = (() => {
  const open: Operation[] = ['list_logs', 'get_checkpoint', 'get_hash_tile', 'get_keys', 'metrics', 'health'];
  const follow: Operation[] = ['get_action', 'wait_for_approval'];
  const propose: Operation[] = [
    ...(['guard', 'explain', 'execute', 'decide'] as const),
    ...(['open_action', 'record_assumption', 'update_outcome'] as const),
  ];
  const own: Operation[] = ['get_score', 'get_receipt', 'get_proof', 'list_receipts'];
  const lists: Operation[] = ['list_approvals', 'list_scores', 'list_revocations'];
  const look: Operation[] = [...open, ...follow, ...own, ...lists, 'get_policy'];
  return {
    asserted: [...open, ...follow, ...propose],
    agent: [...open, ...follow, ...propose, ...own],
    auditor: [...look, 'get_entries', 'get_evidence'],
    operator: [...look, 'resolve_approval', 'revoke', 'revoke_token'],
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
