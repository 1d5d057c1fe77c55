import { expect, test } from 'vitest';
import { readVerdict, runs, strictest } from './route.ts';

const reason = { rule: 'r', code: 'c', message: 'm' };

test('a well-formed verdict is taken as it is', () => {
  const verdict = { route: 'WARN', reasons: [reason], obligations: [{ kind: 'notify', to: 'x' }] };
  expect(readVerdict(verdict)).toEqual(verdict);
});

test.each([
  ['an unknown route', { route: 'PERMIT', reasons: [reason], obligations: [] }],
  ['a route in lower case', { route: 'allow', reasons: [reason], obligations: [] }],
  ['a route of another type', { route: ['ALLOW'], reasons: [reason], obligations: [] }],
  ['an inherited name for a route', { route: 'toString', reasons: [reason], obligations: [] }],
  ['reasons that are no list', { route: 'ALLOW', reasons: {}, obligations: [] }],
  ['a reason without a rule', { route: 'ALLOW', reasons: [{ code: 'c', message: 'm' }], obligations: [] }],
  ['an obligation nobody knows', { route: 'ALLOW', reasons: [reason], obligations: [{ kind: 'sing' }] }],
  ['obligations that are no list', { route: 'ALLOW', reasons: [reason], obligations: null }],
  ['too many obligations', { route: 'ALLOW', reasons: [], obligations: Array(17).fill({ kind: 'notify' }) }],
  ['a list', [{ route: 'ALLOW', reasons: [], obligations: [] }]],
  ['a misspelt member', { route: 'ALLOW', reasons: [], obligations: [], obligation: [{ kind: 'sandbox' }] }],
  ['a second word on the route', { route: 'ALLOW', reasons: [], obligations: [], allow: false }],
  ['a stop without a reason', { route: 'APPROVAL', reasons: [], obligations: [] }],
])('%s is DENY', (_, result) => {
  const verdict = readVerdict(result);
  expect(verdict.route).toBe('DENY');
  expect(verdict.reasons[0]?.code).toBe('policy_malformed');
});

test('the strictest wins, and nothing at all is DENY', () => {
  expect(strictest(['ALLOW', 'APPROVAL', 'WARN'])).toBe('APPROVAL');
  expect(strictest([])).toBe('DENY');
  expect((['ALLOW', 'WARN', 'SIMULATE', 'APPROVAL', 'DENY'] as const).filter(runs)).toEqual(['ALLOW', 'WARN']);
});
