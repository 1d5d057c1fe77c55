// The proof on logs made leaf by leaf: sound ones hold, and each way of spoiling one is named.

import { describe, expect, test } from 'vitest';
import {
  allow,
  change,
  keysFor,
  type Leaf,
  logOf,
  opened,
  originOf,
  REVOCATION,
  SCOPE,
  START_MS,
  strangerKey,
  voids,
} from './logs.fixture.ts';
import { type LogCopy, proveKill } from './prove.ts';

const SWITCH = 'aaaaaaaaaaaa';
const ONE = '111111111111';
const TWO = '222222222222';
const ORIGINS = [originOf('kill-switch', SWITCH), originOf('receipt-signer', ONE), originOf('receipt-signer', TWO)];
const KEYS = keysFor(...ORIGINS);
const FENCE = change('fence', 10);
const initial: Leaf = change('epoch', 0, {
  revocation_id: `rev_${'0'.repeat(32)}`,
  scope: 'global',
  operation: 'initialise',
  epoch: 1,
});

const barrierOver = (...logs: object[]) => change('barrier', 11, logs.length > 0 ? { logs } : {});
const fencedAt = (logId: string, fence_index: number) => ({ origin: originOf('receipt-signer', logId), fence_index });
const leaseEnded = (logId: string) => ({
  origin: originOf('receipt-signer', logId),
  lease_end: new Date(START_MS).toISOString(),
});

function killSwitch(barrier: Leaf | undefined, ...later: Leaf[]): LogCopy {
  return logOf('kill-switch', SWITCH, [
    initial,
    change('revocation', 10, { after_term: 5 }),
    ...(barrier ? [barrier] : []),
    ...later,
  ]);
}
const signer = (leaves: Leaf[], spoil = {}) => logOf('receipt-signer', ONE, leaves, spoil);
const prove = (copies: LogCopy[], keys = KEYS) => proveKill(REVOCATION, copies, keys);
const overOne = (leaves: Leaf[], barrier = barrierOver(fencedAt(ONE, 1))) =>
  prove([killSwitch(barrier), signer(leaves)]);

const before = allow(9);
const other = allow(12, { agent_id: 'someone-else' });

describe('what holds', () => {
  test('ALLOWs before the fence, others behind it', async () => {
    expect(await overOne([before, FENCE, other])).toEqual({
      revocation_id: REVOCATION,
      scope: SCOPE,
      operation: 'revoke',
      epoch: 2,
      reinstated: false,
      // The leaf at 10 s, the barrier's at 11 s.
      stopped_after_ms: 1_000,
      proven: true,
      logs: [
        {
          origin: ORIGINS[1],
          leaves: 3,
          last_sealed_at: new Date(START_MS + 12_000).toISOString(),
          fence_index: 1,
          allows_before: 1,
          last_allow_index: 0,
          allows_after_in_scope: [],
          voided: [],
        },
      ],
    });
  });

  test('more leaves than one bundle holds', async () => {
    const many = Array.from({ length: 700 }, (_, i) => allow(9, { session_id: `s${i}` }));
    const proof = await overOne([...many, FENCE, other], barrierOver(fencedAt(ONE, 700)));
    expect(proof).toMatchObject({
      proven: true,
      logs: [{ fence_index: 700, allows_before: 700, last_allow_index: 699 }],
    });
  });

  test('a barrier that does not say how it was reached, when every log has its fence', async () => {
    expect(await overOne([before, FENCE], barrierOver())).toMatchObject({ proven: true });
  });

  test('a signer that was not reached, its last lease over before the barrier', async () => {
    const unreached = logOf('receipt-signer', TWO, [allow(4)]);
    const barrier = barrierOver(fencedAt(ONE, 1), leaseEnded(TWO));
    const proof = await prove([killSwitch(barrier), signer([before, FENCE]), unreached]);
    expect(proof).toMatchObject({ proven: true, logs: [{}, { fence_index: null, allows_before: 1 }] });
  });

  test('a log that began after the barrier', async () => {
    const barrier = barrierOver(fencedAt(ONE, 1));
    const young = logOf('receipt-signer', TWO, [other]);
    expect(await prove([killSwitch(barrier), signer([before, FENCE]), young])).toMatchObject({ proven: true });
  });

  const reinstated = { revocation_id: `rev_${'b'.repeat(32)}`, operation: 'reinstate', epoch: 3 };

  test('ALLOWs behind the fence that reinstates', async () => {
    const copies = [
      killSwitch(barrierOver(fencedAt(ONE, 1)), change('revocation', 20, reinstated)),
      signer([before, FENCE, change('fence', 20, reinstated), allow(21)]),
    ];
    expect(await prove(copies)).toMatchObject({ proven: true, reinstated: true });
  });

  test('ALLOWs under a lease granted after the reinstatement, in a log without its fence', async () => {
    const lifted = change('revocation', 20, { ...reinstated, after_term: 7 });
    const copies = (term: number) => [
      killSwitch(barrierOver(fencedAt(ONE, 1)), lifted),
      signer([before, FENCE, allow(21, {}, 26, term)]),
    ];
    expect(await prove(copies(8))).toMatchObject({ proven: true });
    expect(await prove(copies(7))).toMatchObject({ proven: false, code: 'allow_behind_fence' });
  });

  test('a voided ALLOW is named, and was never answered', async () => {
    const proof = await overOne([before, FENCE, allow(10), voids(`${ONE}-2`, 10)]);
    expect(proof).toMatchObject({ proven: true, logs: [{ allows_after_in_scope: [], voided: [`${ONE}-2`] }] });
  });
});

describe('what does not hold', () => {
  test('an ALLOW behind the fence', async () => {
    const proof = await overOne([before, FENCE, other, allow(12)]);
    expect(proof).toMatchObject({ proven: false, code: 'allow_behind_fence' });
    expect(proof.logs[0]?.allows_after_in_scope).toEqual([`${ONE}-3`]);
  });

  test.each([
    'global',
    'tenant:acme',
    'agent:bot',
    'session:s1',
    'tool:git',
    'provenance:authenticated',
    `key:${KEYS.receiptKeys[0]?.keyId}`,
  ])('an ALLOW that falls under %s', async (scope) => {
    const also = { scope };
    const changes = [initial, change('revocation', 10, also), change('barrier', 11, also)];
    const copies = [
      logOf('kill-switch', SWITCH, changes),
      signer([change('fence', 10, also), allow(12, { session_id: 's1' })]),
    ];
    expect(await prove(copies)).toMatchObject({ proven: false, code: 'allow_behind_fence' });
  });

  test('an action opened behind the fence on a permit from before, in another log too', async () => {
    const here = await overOne([before, FENCE, opened(before, 12)]);
    expect(here).toMatchObject({ proven: false, code: 'opened_behind_fence' });
    const elsewhere = logOf('receipt-signer', TWO, [FENCE, opened(before, 12)]);
    const barrier = barrierOver(fencedAt(ONE, 1), fencedAt(TWO, 0));
    const copies = [killSwitch(barrier), signer([before, FENCE]), elsewhere];
    expect(await prove(copies)).toMatchObject({ code: 'opened_behind_fence' });
    expect(await overOne([allow(9, { agent_id: 'x' }), FENCE, opened(other, 12)])).toMatchObject({ proven: true });
  });

  test('a missing fence', async () => {
    expect(await overOne([before, other])).toMatchObject({ proven: false, code: 'no_fence' });
    expect(await overOne([other], barrierOver())).toMatchObject({ code: 'no_fence' });
    expect(await overOne([other], barrierOver(fencedAt(TWO, 1)))).toMatchObject({ code: 'missing_log' });
  });

  test('a signer that was not reached, under a lease that outlives the barrier', async () => {
    const barrier = barrierOver(leaseEnded(ONE));
    expect(await overOne([allow(9)], barrier)).toMatchObject({ proven: false, code: 'no_fence' });
    expect(await overOne([allow(4), allow(12)], barrier)).toMatchObject({ proven: false, code: 'no_fence' });
  });

  test('an ALLOW under a lease that outlives the barrier, before a fence that came after it', async () => {
    const late = [allow(12), change('fence', 13)];
    expect(await overOne(late, barrierOver(leaseEnded(ONE)))).toMatchObject({ proven: false, code: 'no_fence' });
    expect(await overOne([allow(4), ...late.slice(1)], barrierOver(leaseEnded(ONE)))).toMatchObject({ proven: true });
  });

  test('an action opened behind the barrier on a permit from before, in a log that has no fence', async () => {
    const elsewhere = (at: number) => {
      const leaves = [allow(4, { agent_id: 'x' }), opened({ ...before, signer: allow(at).signer ?? {} }, at)];
      const barrier = barrierOver(fencedAt(ONE, 1), leaseEnded(TWO));
      return prove([killSwitch(barrier), signer([before, FENCE]), logOf('receipt-signer', TWO, leaves)]);
    };
    expect(await elsewhere(12)).toMatchObject({ proven: false, code: 'opened_behind_fence' });
    expect(await elsewhere(5)).toMatchObject({ proven: true });
  });

  test('a log that the barrier could not name, not given', async () => {
    const unnamed = { ...leaseEnded(TWO), origin: '' };
    const barrier = killSwitch(barrierOver(fencedAt(ONE, 1), unnamed));
    const named = signer([before, FENCE]);
    expect(await prove([barrier, named])).toMatchObject({ proven: false, code: 'missing_log' });
    const young = logOf('receipt-signer', TWO, [other]);
    expect(await prove([barrier, named, young])).toMatchObject({ proven: false, code: 'missing_log' });
    const given = logOf('receipt-signer', TWO, [allow(4)]);
    expect(await prove([barrier, named, given])).toMatchObject({ proven: true });
  });

  test('an ALLOW naming a lease that had ended', async () => {
    const proof = await overOne([allow(9, {}, 8), FENCE]);
    expect(proof).toMatchObject({ proven: false, code: 'lease_ended' });
  });

  test('a fence for another scope, another epoch, or not where the barrier says', async () => {
    for (const also of [{ scope: 'agent:acme/other' }, { epoch: 3 }, { operation: 'reinstate' }]) {
      expect(await overOne([before, change('fence', 10, also)])).toMatchObject({ proven: false, code: 'wrong_fence' });
    }
    expect(await overOne([before, other, FENCE])).toMatchObject({ proven: false, code: 'wrong_fence' });
  });

  test('a leaf changed, dropped, swapped or added after the checkpoint', async () => {
    const leaves = [before, FENCE, other];
    const changed = logOf('receipt-signer', ONE, [allow(9, { session_id: 'x' }), FENCE, other]);
    const { checkpoint } = signer(leaves);
    const barrier = killSwitch(barrierOver(fencedAt(ONE, 1)));
    expect(await prove([barrier, { ...changed, checkpoint }])).toMatchObject({ proven: false, code: 'not_included' });
    const spoilt = async (how: (leaves: Uint8Array[]) => Uint8Array[]) =>
      (await prove([barrier, signer(leaves, { leaves: how })])).code;
    expect(await spoilt((all) => all.slice(0, 2))).toBe('malformed');
    expect(await spoilt((all) => [...all, all[0] as Uint8Array])).toBe('malformed');
    expect(await spoilt((all) => [all[0], all[2], all[1]] as Uint8Array[])).toBe('not_included');
    expect(await spoilt(() => [])).toBe('incomplete');
  });

  test('receipts and checkpoints by keys nobody trusts', async () => {
    const foreign = { signer: (index: number) => (index === 1 ? strangerKey : undefined) as never };
    const barrier = killSwitch(barrierOver(fencedAt(ONE, 1)));
    expect(await prove([barrier, signer([before, FENCE], foreign)])).toMatchObject({ code: 'unknown_key' });
    const few = keysFor(ORIGINS[0] as string);
    expect(await prove([barrier, signer([before, FENCE])], few)).toMatchObject({ proven: false, code: 'unknown_key' });
  });

  test('a revocation that is unknown, stops nothing, or has no barrier', async () => {
    const leaves = signer([before, FENCE]);
    expect(await prove([logOf('kill-switch', SWITCH, [initial]), leaves])).toMatchObject({
      code: 'unknown_revocation',
    });
    expect(await prove([killSwitch(undefined), leaves])).toMatchObject({ proven: false, code: 'no_barrier', epoch: 0 });
    const lifts = [initial, change('revocation', 10, { operation: 'reinstate' })];
    expect(await prove([logOf('kill-switch', SWITCH, lifts), leaves])).toMatchObject({ code: 'not_a_stop' });
    expect(await prove([leaves])).toMatchObject({ code: 'unknown_revocation' });
    expect(await prove([killSwitch(barrierOver())])).toMatchObject({ code: 'missing_log' });
  });

  test('epochs that go back, and an ALLOW that hides its scopes', async () => {
    const again = change('revocation', 12, { revocation_id: `rev_${'c'.repeat(32)}`, epoch: 2 });
    const copies = [killSwitch(barrierOver(), again), signer([FENCE])];
    expect(await prove(copies)).toMatchObject({ code: 'out_of_order' });
    expect(await overOne([before, FENCE, allow(12, { tools: undefined })])).toMatchObject({ code: 'malformed' });
  });
});
