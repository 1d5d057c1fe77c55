// Every reachable state of the barrier, and what each protection is for: taken out, a shortest way to an ALLOW that is
// answered after BARRIER is found and printed.

import { expect, test, vi } from 'vitest';
import { ALL_ON, barrierModel, type Protections, type World } from './barrier.ts';
import { explore } from './explorer.ts';
import { listModel } from './revocation-list.ts';

const MAX_STATES = 400_000;
type Shape = Omit<World, 'protections'>;

const ONE: Shape = { signers: 1, changes: 1, late: true, clocks: [-1, 0, 1] };
const TWO_CHANGES: Shape = { signers: 1, changes: 2, late: false, clocks: [-1, 0, 1] };
const TWO_CHANGES_LATE: Shape = { signers: 1, changes: 2, late: true, clocks: [-1] };
const TWO_SIGNERS: Shape = { signers: 2, changes: 1, late: false, clocks: [-1] };

const FOLLOWED: Shape = { signers: 1, changes: 1, late: true, clocks: [-1, 0, 1], followed: true };

const look = (shape: Shape, without?: keyof Protections) => {
  const protections = without === undefined ? ALL_ON : { ...ALL_ON, [without]: false };
  return explore(barrierModel({ ...shape, protections }), MAX_STATES);
};

vi.setConfig({ testTimeout: 180_000 });

test.each([
  ['one signer, late messages', ONE],
  ['one signer, two revocations', TWO_CHANGES],
  ['one signer, two revocations, late messages', TWO_CHANGES_LATE],
  ['two signers', TWO_SIGNERS],
  ['a leader that is followed and lives on', FOLLOWED],
])('%s: after BARRIER no ALLOW in its scope is answered, in any reachable state', (name, shape) => {
  const { counterexample, states, transitions, depth } = look(shape);
  console.info(`${name}: ${states} states, ${transitions} transitions, ${depth} deep`);
  expect(counterexample).toBeUndefined();
});

test.each<[keyof Protections, Shape]>([
  ['lease', ONE],
  ['epoch', ONE],
  ['gap', TWO_CHANGES],
  ['recheck', ONE],
  ['ownLease', ONE],
  ['fence', ONE],
  ['order', ONE],
  ['clockBound', ONE],
  ['restart', ONE],
  ['connection', ONE],
  ['asks', FOLLOWED],
  ['follows', FOLLOWED],
  ['lease', TWO_SIGNERS],
  ['fence', TWO_SIGNERS],
  ['recheck', TWO_SIGNERS],
])('without %s the barrier does not hold', (protection, shape) => {
  const { counterexample } = look(shape, protection);
  expect(counterexample?.fault).toBe('ALLOW after BARRIER');
  const trace = counterexample?.trace.slice(1) ?? [];
  console.info(`without ${protection}: ${trace.length} steps: ${trace.join(' · ')}`);
  expect(trace.at(-1)).toMatch(/^ALLOW answered/);
});

test('a search that meets its bound is an error, not a proof', () => {
  expect(() => explore(barrierModel({ ...ONE, protections: ALL_ON }), 100)).toThrow('not exhaustive');
});

const LIST_RULES = { epoch: true, floor: true, next: true };

test('the list: what a reader knows to be revoked is never found free, whatever becomes of the store', () => {
  const explored = explore(listModel(LIST_RULES), MAX_STATES);
  console.info(`list: ${explored.states} states, ${explored.transitions} transitions`);
  expect(explored.counterexample).toBeUndefined();
});

test.each(['epoch', 'floor', 'next'] as const)(
  'without the list’s %s rule a flushed or older list un-revokes',
  (rule) => {
    const { counterexample } = explore(listModel({ ...LIST_RULES, [rule]: false }), MAX_STATES);
    expect(counterexample?.fault).toBe('revoked, and found free');
    console.info(`without ${rule}: ${counterexample?.trace.slice(1).join(' · ')}`);
  },
);
