// Facts are asked for before the proposal is read: what has ended by then does not count, and nothing is charged for it.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import { ExecuteRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { FenceRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { approvalRecord, LOG } from '../../ports/action-store/records.fixture.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { makeWorld, minted, shell } from './decision.fixture.ts';
import { askFacts, EpochMemory, gather } from './gather.ts';

test('an approval that ends while the proposal is read is none', async () => {
  const { deps, stores, clock } = await makeWorld();
  const asker = { tenantId: 't', agentId: 'a', sessionId: '', opportunityId: '', surface: 'api', actionId: '' };
  const who = { ...asker, provenance: 'authenticated' as const, isTold: false };
  const admitted = { tools: ['ls'], fingerprint: 'f'.repeat(64) };
  const approval = approvalRecord({ ...admitted, status: 'approved', notAfterMs: clock.ms + 100 });
  await stores.actions.putApproval(approval, { logId: LOG, index: 0 });
  const approved = async (readMs: number) => {
    const asked = askFacts(who, 'd'.repeat(64), deps);
    clock.ms += readMs;
    return (await gather(asked, admitted, deps, new EpochMemory())).facts.approval?.action_id;
  };
  expect(await approved(99)).toBe(approval.actionId);
  expect(await approved(1)).toBeUndefined();
});

test('nothing is charged where the claim of a key fails', async () => {
  class Away extends MemoryIdempotency {
    override claim(): Promise<never> {
      return Promise.reject(new BeaconError('unavailable', 'away'));
    }
  }
  const settings = { turn: { actions: 1, windowMs: 60_000 } };
  const world = await makeWorld({ stores: { idempotency: new Away() }, settings });
  const execute = (names: object) =>
    world.maker.execute(
      create(ExecuteRequestSchema, { proposal: shell('ls', { opportunityId: 'o', ...names }) }),
      minted,
    );
  await expect(execute({ idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'unavailable' });
  expect((await execute({})).answer?.reasons.map(({ code }) => code)).not.toContain('turn_limit');
});

test.each(['tool:ls', 'agent:t/a'])(
  'a decision is sealed under every scope it was gathered for: %s fenced',
  async (scope) => {
    const { maker, signer } = await makeWorld();
    const execute = async () => {
      const { answer } = await maker.execute(create(ExecuteRequestSchema, { proposal: shell('ls') }), minted);
      return answer?.reasons.map(({ code }) => code);
    };
    expect(await execute()).not.toContain('revoked');
    // The list does not know it yet: the signer alone stops what names it.
    await signer.fence(create(FenceRequestSchema, { revocationId: 'rev_1', scope, operation: 'revoke', epoch: 2n }));
    expect(await execute()).toContain('revoked');
  },
);
