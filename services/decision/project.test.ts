// How receipts reach the derived stores: few round trips, and never a key that leads to what is not there.

import { expect, test } from 'vitest';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { project, type SealedView } from './project.ts';

const KEY = { tenantId: 't', agentId: 'a', key: 'k' };

function view(kind: string, index: number, predicate: object, actionId = 'act_1'): SealedView {
  const at = { logId: 'a'.repeat(12), index };
  const who = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated' };
  const receiptId = `${at.logId}-${index}`;
  const head = { kind, actionId, fingerprint: 'f', receiptId, keyId: '', at, sealedAtMs: 1_000 + index, summary: '' };
  return { ...head, predicate: { ...who, ...predicate } };
}

const ALLOW = { decision: 'ALLOW', route: 'ALLOW', idempotency_key_digest: KEY.key, proposal_digest: 'd' };
const OPENED = { opened_at: '2030-01-01T00:00:00.000Z', deadline: '2030-01-01T01:00:00.000Z' };

function stores(putFails = false) {
  const calls: string[] = [];
  class Actions extends MemoryActionStore {
    override async putAction(...args: Parameters<MemoryActionStore['putAction']>) {
      calls.push('put');
      if (putFails) throw new Error('away');
      return super.putAction(...args);
    }
    override async getAction(actionId: string) {
      calls.push('get');
      return super.getAction(actionId);
    }
  }
  const actions = new Actions();
  const idempotency = new MemoryIdempotency();
  return {
    calls,
    actions,
    idempotency,
    deps: { stores: { actions, idempotency }, settings: { idempotencyTtlMs: 9e9 } },
  };
}

test('a decision opened at once is written once, without being read back', async () => {
  const { calls, actions, deps } = stores();
  await project([view('decision', 0, ALLOW), view('action', 1, OPENED)], deps);
  expect(calls).toEqual(['put']);
  expect(await actions.getAction('act_1')).toMatchObject({
    state: 'open',
    receiptIds: [`${'a'.repeat(12)}-0`, `${'a'.repeat(12)}-1`],
    openedAtMs: Date.parse(OPENED.opened_at),
  });
});

test('written together or one by one, the rows are the same', async () => {
  const views = [
    view('decision', 0, ALLOW),
    view('action', 1, OPENED),
    view('decision', 2, { ...ALLOW, idempotency_key_digest: 'other' }, 'act_2'),
    view('outcome', 3, { status: 'succeeded', closed_at: OPENED.deadline }),
    view('void', 4, { voids: `${'a'.repeat(12)}-2` }, 'act_2'),
  ];
  const [together, apart] = [stores(), stores()];
  await project(views, together.deps);
  for (const one of views) await project([one], apart.deps);
  for (const actionId of ['act_1', 'act_2']) {
    expect(await together.actions.getAction(actionId)).toEqual(await apart.actions.getAction(actionId));
  }
});

test('a key whose action could not be written is not completed', async () => {
  const { idempotency, deps } = stores(true);
  await expect(project([view('decision', 0, ALLOW)], deps)).rejects.toThrow('away');
  expect((await idempotency.claim(KEY, 'd', 2_000)).kind).toBe('fresh');
});

test('what two tell of is there once, whichever log it stands in and whoever is late', async () => {
  const elsewhere = { logId: 'b'.repeat(12), index: 7 };
  const at = (view: SealedView, place: SealedView['at']): SealedView => ({
    ...view,
    at: place,
    receiptId: `${place.logId}-${place.index}`,
  });
  const opened = [view('decision', 0, ALLOW), view('action', 1, OPENED)];
  const believed = at(view('assumption', 2, {}), elsewhere);
  const closed = view('outcome', 3, { status: 'succeeded', closed_at: OPENED.deadline });
  const { actions, deps } = stores();
  await project(opened, deps);
  await project([believed], deps);
  await project([closed], deps);
  const known = await actions.getAction('act_1');
  expect(known).toMatchObject({ state: 'closed', outcome: 'succeeded' });
  expect(known?.receiptIds).toHaveLength(4);
  // Both logs are followed, each from its beginning.
  await project([believed], deps);
  await project([...opened, closed], deps);
  expect(await actions.getAction('act_1')).toEqual(known);
});
