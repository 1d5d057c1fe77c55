// One kill switch over several signers: what one of them signed is stopped at all of them, also at those it is told of no more.

import { execFile } from 'node:child_process';
import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { scopesOf } from '../../core/revocation.ts';
import { DraftSchema, ReceiptSignerService, SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { openMesh } from '../../services/mesh.ts';
import { call, execute } from '../beacond.ts';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const CLI = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));
const PERMITS = 12;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ BEACON_LEASE_MS: '8000' }, { decisionReplicas: 1 });
});
afterAll(() => fleet?.stop());

type Guarded = { readonly keyId: string; readonly permit: string };

async function guard(agent: string): Promise<Guarded> {
  const proposal = { agent_id: agent, tenant_id: 'local', action: { kind: 'shell', command: 'ls', cwd: '/tmp' } };
  const { body } = await call(fleet, 'POST', '/api/guard', { ...proposal, surface: 'test' });
  expect(body.decision, JSON.stringify(body)).toBe('ALLOW');
  const { body: receipt } = await call(fleet, 'GET', `/api/receipts/${body.receipt_id}`, undefined, fleet.adminToken);
  const [signature] = receipt.signatures as [{ keyid: string }];
  return { keyId: signature.keyid, permit: (body.permit as { id: string }).id };
}
const soonGuarded = (agent: string) => vi.waitFor(() => guard(agent), { timeout: 30_000, interval: 100 });

async function change(operation: string, scope: string): Promise<Record<string, unknown>> {
  const asked = { scope, operation, reason: 'several signers' };
  const { status, body } = await call(fleet, 'POST', '/api/revocations', asked, fleet.adminToken);
  expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('"level"')]);
  return body;
}

async function prove(revocationId: unknown): Promise<Record<string, unknown>> {
  const env = { PATH: process.env.PATH, HOME: fleet.folder, BEACON_URL: fleet.http, BEACON_TOKEN: fleet.adminToken };
  const argv = [CLI, 'prove-kill', String(revocationId), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 26 }).catch(
    (failed: { stdout: string }) => failed,
  );
  return JSON.parse(stdout);
}

test('permits that a revoked key signed are not drained, and no other signer opens an action on one', async () => {
  const { keyId } = await soonGuarded('keyed');
  const permits: string[] = [];
  while (permits.length < PERMITS) {
    const one = await soonGuarded('keyed');
    if (one.keyId === keyId) permits.push(one.permit);
  }
  const scope = `key:${keyId}`;
  const revoked = await change('revoke', scope);
  expect(revoked.level).toBe('BARRIER');
  for (const permit of permits) {
    const { status, body } = await call(fleet, 'POST', '/api/actions', { permit });
    expect([status, body.code]).toEqual([409, 'failed_precondition']);
  }
  expect(await prove(revoked.revocation_id)).toMatchObject({ proven: true, scope });
  await change('reinstate', scope);
});

/** What a decision replica asks for that read the list before it was told of a revocation. */
async function sealAllow(signer: ServiceProcess, agentId: string): Promise<string> {
  const tokenFolder = join(fleet.folder, 'tokens');
  const mesh = await openMesh({ self: 'decision', tokenFolder, now: Date.now, failed: () => {} });
  const { service, close } = await mesh.dial(ReceiptSignerService, 'receipt-signer', signer.ready.service as string);
  const digest = 'd'.repeat(64);
  const permitId = `pmt_${'a'.repeat(32)}`;
  const facts = { tenantId: 'local', agentId, sessionId: '', provenance: 'asserted', tools: ['ls'] } as const;
  const said = { decision: 'ALLOW', route: 'ALLOW', client_provenance: 'asserted', tools: ['ls'], policy: { digest } };
  const draft = create(DraftSchema, {
    kind: 'decision',
    actionId: `act_${'a'.repeat(32)}`,
    fingerprint: 'f'.repeat(64),
    tenantId: 'local',
    predicateJson: Buffer.from(JSON.stringify({ ...said, tenant_id: 'local', agent_id: agentId })),
    allow: true,
    scopes: scopesOf({ ...facts, policyDigest: digest, keyId: '', permitId }),
    permitNotAfter: timestampFromMs(Date.now() + 30_000),
  });
  const principal = { role: 'admin', provenance: 'authenticated', subject: 'service:decision' } as const;
  const context = { principal, deadlineMs: Date.now() + 5_000, requestDigest: '', traceId: '' };
  try {
    return (await service.seal(create(SealRequestSchema, { drafts: [draft] }), context)).refused;
  } finally {
    close();
  }
}

test('a signer taken out of the configuration is stopped by the end of the lease it had from the leader before', async () => {
  const [kept, removed] = fleet.signers as [ServiceProcess, ServiceProcess];
  expect(await sealAllow(removed, 'left-out')).toBe('');
  await fleet.killSwitch.end('SIGKILL');
  await fleet.killSwitch.start({ BEACON_SIGNERS: kept.ready.service as string });
  const revoked = await change('revoke', 'agent:local/left-out');
  expect(['fenced', 'no_lease']).toContain(await sealAllow(removed, 'left-out'));
  expect(revoked.logs).toHaveLength(2);
  expect(await prove(revoked.revocation_id)).toMatchObject({ proven: true });
  // One that was given up long ago is not waited for again.
  await fleet.killSwitch.end('SIGKILL');
  await fleet.killSwitch.start({ BEACON_SIGNERS: kept.ready.service as string });
  expect((await change('revoke', 'agent:local/later')).logs).toHaveLength(1);
});

test('a kill-switch log put back to an older copy un-revokes nothing, though signers and Redis have forgotten too', async () => {
  const [all, now, older] = ['kill-switch', 'kill-switch.now', 'kill-switch.older'].map((name) =>
    join(fleet.folder, name),
  ) as [string, string, string];
  const began = [...fleet.signers, fleet.killSwitch];
  await fleet.killSwitch.end('SIGTERM');
  await cp(all, older, { recursive: true });
  await fleet.killSwitch.start();
  await soonGuarded('rolled-back');
  await change('revoke', 'agent:local/rolled-back');
  // Leases are granted in knowledge of it at least once a second.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const startOver = async (from: string, to: string) => {
    await Promise.all(began.map((one) => one.end('SIGKILL')));
    const redis = new Redis(fleet.redis.address.port, fleet.redis.address.host);
    await redis.flushall();
    redis.disconnect();
    await rename(all, to);
    await rename(from, all);
    for (const one of began) await one.start();
  };
  await startOver(older, now);
  for (const untilMs = Date.now() + 10_000; Date.now() < untilMs; ) {
    const { body } = await execute(fleet, { agent_id: 'rolled-back' });
    expect(body.decision).not.toBe('ALLOW');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(fleet.killSwitch.stderr.includes('an older copy')).toBe(true);
  await startOver(now, older);
  await soonGuarded('somebody-else');
  const { body } = await execute(fleet, { agent_id: 'rolled-back' });
  expect([body.decision, (body.reasons as { code: string }[])[0]?.code]).toEqual(['DENY', 'revoked']);
});
