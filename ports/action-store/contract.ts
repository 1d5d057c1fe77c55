// What every action store must do.

import { beforeEach, describe, expect, it } from 'vitest';
import { type ActionRecord, type ActionStore, MAX_APPROVED } from './port.ts';
import { actionRecord, approvalRecord, LOG } from './records.fixture.ts';

const at = (index: number, logId = LOG) => ({ logId, index });

export function describeActionStore(name: string, make: () => Promise<ActionStore> | ActionStore): void {
  describe(`action store: ${name}`, () => {
    let store: ActionStore;
    beforeEach(async () => {
      store = await make();
    });
    positions(() => store);
    actions(() => store);
    claims(() => store);
    approvals(() => store);
  });
}

function positions(store: () => ActionStore): void {
  it('keeps one position for each log, and only moves it forward', async () => {
    expect(await store().position(LOG)).toBe(0);
    await store().advance(at(7));
    await store().advance(at(3));
    await store().advance(at(2, 'bbbbbbbbbbbb'));
    expect(await store().position(LOG)).toBe(7);
    expect(await store().position('bbbbbbbbbbbb')).toBe(2);
  });

  it('advances from where it was told to be, and not when it was never told', async () => {
    expect(await store().advanceFrom(0, at(5))).toBe(false);
    expect(await store().position(LOG)).toBe(0);
    await store().advance(at(0));
    expect(await store().advanceFrom(0, at(5))).toBe(true);
    expect(await store().advanceFrom(6, at(9))).toBe(false);
    expect(await store().position(LOG)).toBe(5);
    expect(await store().advanceFrom(5, at(9))).toBe(true);
    // Behind another that was faster.
    expect(await store().advanceFrom(5, at(7))).toBe(true);
    expect(await store().position(LOG)).toBe(9);
  });

  it('says up to where each row reflects a log, and of no row what another log told last', async () => {
    expect(await store().recorded(LOG, [])).toEqual([]);
    await store().putAction(actionRecord({ actionId: 'act_1', state: 'guarded' }), at(3));
    await store().putAction(actionRecord({ actionId: 'act_1', state: 'open' }), at(4));
    await store().putAction(actionRecord({ actionId: 'act_2', permitId: 'p2', state: 'guarded' }), at(0));
    await store().putAction(actionRecord({ actionId: 'act_3', permitId: 'p3', state: 'guarded' }), at(5));
    await store().putAction(actionRecord({ actionId: 'act_3', permitId: 'p3' }), at(6, 'bbbbbbbbbbbb'));
    await store().putApproval(approvalRecord({ actionId: 'act_4' }), at(7));
    const asked = ['act_3', 'act_1', 'act_4', 'none', 'act_2', 'act_1'];
    expect(await store().recorded(LOG, asked)).toEqual([-1, 4, -1, -1, 0, 4]);
    expect(await store().recorded('bbbbbbbbbbbb', ['act_3', 'act_1'])).toEqual([6, -1]);
    const many = Array.from({ length: 300 }, (_, n) => `none_${n}`);
    expect(await store().recorded(LOG, [...many, 'act_1'])).toEqual([...many.map(() => -1), 4]);
  });

  it('takes a write at or below a row’s own position as a repeat', async () => {
    await store().putAction(actionRecord({ state: 'open' }), at(4));
    await store().putAction(actionRecord({ state: 'closed', outcome: 'succeeded' }), at(6));
    await store().putAction(actionRecord({ state: 'open' }), at(4));
    await store().putAction(actionRecord({ state: 'refused' }), at(6));
    expect((await store().getAction('act_1'))?.state).toBe('closed');
    await store().putApproval(approvalRecord({ status: 'used' }), at(6));
    await store().putApproval(approvalRecord({ status: 'approved' }), at(6));
    expect((await store().getApproval('act_1'))?.status).toBe('used');
  });

  it('takes a write from another log: positions of two logs do not compare', async () => {
    await store().putAction(actionRecord({ state: 'open' }), at(40));
    await store().putAction(actionRecord({ state: 'closed' }), at(2, 'bbbbbbbbbbbb'));
    expect((await store().getAction('act_1'))?.state).toBe('closed');
  });

  it('never goes back for another log that tells late: who follows a log tells again what is known', async () => {
    const other = (index: number) => at(index, 'bbbbbbbbbbbb');
    const ids = ['a-0', 'a-1', 'b-0', 'b-1'];
    const told = (state: ActionRecord['state'], receipts: number) =>
      actionRecord({ state, receiptIds: ids.slice(0, receipts) });
    await store().putAction(told('guarded', 1), at(0));
    await store().putAction(told('open', 2), other(0));
    await store().putAction(told('guarded', 1), at(5));
    expect((await store().getAction('act_1'))?.state).toBe('open');
    await store().putAction(told('open', 3), at(6));
    await store().putAction(told('open', 2), other(7));
    expect((await store().getAction('act_1'))?.receiptIds).toHaveLength(3);
    await store().putAction(told('closed', 4), other(8));
    await store().putAction(told('open', 4), at(9));
    expect((await store().getAction('act_1'))?.state).toBe('closed');
    expect(await store().overdue(9_000, 10)).toEqual([]);

    await store().putApproval(approvalRecord({ status: 'approved' }), at(1));
    await store().putApproval(approvalRecord({ status: 'used' }), other(1));
    await store().putApproval(approvalRecord({ status: 'approved' }), at(2));
    await store().putApproval(approvalRecord({ status: 'pending' }), at(3));
    expect((await store().getApproval('act_1'))?.status).toBe('used');
    expect(await store().approvedFor('t', 'a', 2_000)).toEqual([]);
    expect(await store().pendingApprovals('', 2_000, 10)).toEqual([]);
  });
}

function actions(store: () => ActionStore): void {
  it('gives back every field, and nothing for what it does not know', async () => {
    const action = actionRecord({ scopes: ['global', 'tool:"odd", name'], receiptIds: ['x-1', 'x-2'] });
    await store().putAction(action, at(0));
    expect(await store().getAction('act_1')).toEqual(action);
    expect(await store().findByPermit('pmt_1')).toEqual(action);
    expect(await store().getAction('act_2')).toBeUndefined();
    expect(await store().findByPermit('pmt_2')).toBeUndefined();
  });

  it('finds no action by the empty permit', async () => {
    await store().putAction(actionRecord({ permitId: '' }), at(0));
    expect(await store().findByPermit('')).toBeUndefined();
  });

  it('lists open actions past their deadline, oldest first', async () => {
    await store().putAction(actionRecord({ actionId: 'act_1', permitId: 'p1', deadlineMs: 300 }), at(0));
    await store().putAction(actionRecord({ actionId: 'act_2', permitId: 'p2', deadlineMs: 100 }), at(1));
    await store().putAction(actionRecord({ actionId: 'act_3', permitId: 'p3', deadlineMs: 400 }), at(2));
    await store().putAction(
      actionRecord({ actionId: 'act_4', permitId: 'p4', deadlineMs: 50, state: 'closed' }),
      at(3),
    );
    const ids = async (limit: number, passed = 0) =>
      (await store().overdue(400, limit, passed)).map((action) => action.actionId);
    expect(await ids(10)).toEqual(['act_2', 'act_1']);
    expect(await ids(1)).toEqual(['act_2']);
    expect(await ids(1, 1)).toEqual(['act_1']);
    expect(await ids(1, 2)).toEqual([]);
    await store().putAction(actionRecord({ actionId: 'act_2', permitId: 'p2', state: 'closed' }), at(4));
    expect(await ids(10)).toEqual(['act_1']);
  });

  it('lists what is live in a scope: open, or guarded with a permit that has not ended', async () => {
    const guarded = { state: 'guarded', openedAtMs: 0, deadlineMs: 0 } as const;
    await store().putAction(actionRecord({ actionId: 'act_1', permitId: 'p1' }), at(0));
    await store().putAction(actionRecord({ ...guarded, actionId: 'act_2', permitId: 'p2' }), at(1));
    await store().putAction(
      actionRecord({ ...guarded, actionId: 'act_3', permitId: 'p3', permitNotAfterMs: 1_500 }),
      at(2),
    );
    await store().putAction(actionRecord({ ...guarded, actionId: 'act_4', permitId: '' }), at(3));
    await store().putAction(actionRecord({ actionId: 'act_5', permitId: 'p5', state: 'refused' }), at(4));
    await store().putAction(actionRecord({ actionId: 'act_6', permitId: 'p6', scopes: ['tool:gitx'] }), at(5));
    const ids = async (scope: string, limit = 10) => {
      const { live, more } = await store().liveInScope(scope, 1_500, limit);
      return [...live.map((action) => action.actionId), ...(more ? ['more'] : [])];
    };
    expect(await ids('tool:git')).toEqual(['act_2', 'act_1']);
    expect(await ids('tool:git', 2)).toEqual(['act_2', 'act_1']);
    // However many are open: who is told nothing of a permit would take it for redeemed.
    expect(await ids('tool:git', 1)).toEqual(['act_2', 'more']);
    expect(await ids('tool:gi')).toEqual([]);
    expect(await ids('tool:gitx')).toEqual(['act_6']);
  });
}

function claims(store: () => ActionStore): void {
  it.each([
    ['permit', 'claimPermit', 'releasePermit'],
    ['close', 'claimClose', 'releaseClose'],
    ['approval', 'claimApproval', 'releaseApproval'],
  ] as const)('gives a %s to exactly one of many until it is released', async (_name, claim, release) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => store()[claim]('x')));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await store()[claim]('y')).toBe(true);
    await store()[release]('x');
    expect(await store()[claim]('x')).toBe(true);
    expect(await store()[claim]('x')).toBe(false);
  });

  it('keeps claims of different things apart though their ids be equal', async () => {
    expect(await store().claimPermit('x')).toBe(true);
    expect(await store().claimClose('x')).toBe(true);
    expect(await store().claimApproval('x')).toBe(true);
  });
}

function approvals(store: () => ActionStore): void {
  it('finds what is approved for an agent, unused and unexpired, and nobody else’s', async () => {
    const approved = approvalRecord({ status: 'approved', approver: 'token:op' });
    await store().putApproval(approved, at(0));
    const find = (tenant = 't', agent = 'a', now = 8_999) => store().approvedFor(tenant, agent, now);
    expect(await find()).toEqual([approved]);
    expect(await find('u')).toEqual([]);
    expect(await find('t', 'b')).toEqual([]);
    expect(await find('t', 'a', 9_000)).toEqual([]);
    for (const [index, status] of (['pending', 'denied', 'expired', 'used'] as const).entries()) {
      await store().putApproval(approvalRecord({ status }), at(index + 1));
      expect(await find()).toEqual([]);
    }
  });

  it('holds so many approvals of one agent; of more, those that end first are forgotten', async () => {
    const nth = (n: number) => ({ actionId: `act_${n}`, fingerprint: `${n}`, notAfterMs: 9_000 + ((n * 7) % 300) });
    for (let n = 0; n < MAX_APPROVED + 2; n += 1) {
      await store().putApproval(approvalRecord({ ...nth(n), status: 'approved' }), at(n));
    }
    const found = (await store().approvedFor('t', 'a', 8_999)).map(({ notAfterMs }) => notAfterMs);
    const ends = Array.from({ length: MAX_APPROVED + 2 }, (_, n) => nth(n).notAfterMs).sort((a, b) => b - a);
    expect(found).toHaveLength(MAX_APPROVED);
    // A store that forgets as it writes may have forgotten what ends later than the last.
    expect(found[0]).toBe(ends[0]);
    expect(found.at(-1)).toBeGreaterThanOrEqual(ends[MAX_APPROVED - 1] as number);
  });

  it('lists pending approvals, oldest first, by tenant or all', async () => {
    const pending = (actionId: string, tenantId: string, requestedAtMs: number, notAfterMs = 9_000) =>
      approvalRecord({ actionId, tenantId, requestedAtMs, notAfterMs });
    await store().putApproval(pending('act_1', 't', 300), at(0));
    await store().putApproval(pending('act_2', 'u', 200), at(1));
    await store().putApproval(pending('act_3', 't', 100), at(2));
    await store().putApproval(pending('act_4', 't', 50, 1_000), at(3));
    await store().putApproval(approvalRecord({ actionId: 'act_5', status: 'approved' }), at(4));
    const ids = async (tenant: string, limit = 10) =>
      (await store().pendingApprovals(tenant, 1_000, limit)).map((approval) => approval.actionId);
    expect(await ids('t')).toEqual(['act_3', 'act_1']);
    expect(await ids('')).toEqual(['act_3', 'act_2', 'act_1']);
    expect(await ids('', 2)).toEqual(['act_3', 'act_2']);
  });
}
