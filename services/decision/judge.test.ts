// What the host adds to what a policy says, and what it never leaves out of the evaluated input.

import { describe, expect, test } from 'vitest';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { admit } from './admit.ts';
import { callAs, makeWorld, minted, shell } from './decision.fixture.ts';
import type { Gathered } from './gather.ts';
import { judge, MAX_TOOLS } from './judge.ts';

const NO_FACTS = {
  score: 300,
  valid_receipts: 0,
  level: 'L2' as const,
  revocation_epoch: 1,
  revoked_scopes: [],
  budget_exhausted: false,
  approval: null,
};

async function judged(command: string, call = minted) {
  const { deps } = await makeWorld();
  const admitted = admit(shell(command), call, deps);
  const gathered = { scopes: [], missing: [], facts: NO_FACTS };
  const { verdict, input } = judge(admitted, gathered, deps.policy.snapshot(), { salt: '0'.repeat(32), nowMs: 0 });
  return { verdict, input: JSON.parse(Buffer.from(input).toString()) };
}

test.each(['ls', 'echo x > a', 'rm src'])(
  'the evaluated input always tells what changes and what is called: %s',
  async (command) => {
    const { input } = await judged(command);
    expect(Object.keys(input.change).sort()).toEqual(['bytes', 'complete', 'files', 'lines', 'places', 'trees']);
    expect(input.commands).toMatchObject({ list: [[command.split(' ')[0]]], complete: true });
    expect(input.regions).toEqual([]);
  },
);

test('a change larger than anybody reads waits for a person, and says how large it is and what would pass', async () => {
  const command = `cat > src/a.ts <<'E'\n${'const x = 1;\n'.repeat(1_600)}E`;
  const { verdict } = await judged(command);
  expect(verdict.route).toBe('APPROVAL');
  const reason = verdict.reasons.find(({ code }) => code === 'change_too_large');
  expect(reason).toMatchObject({ rule: 'beacon.limits.change' });
  expect(reason?.message).toBe(
    'The change holds 1600 lines; more than 50 files, 1500 lines, 57344 bytes at once wait for a person. ' +
      'Propose it in smaller steps, each by itself, or ask a person to approve.',
  );
  expect((await judged(command.replace('src/a.ts', 'dist/a.js'))).verdict.route).toBe('ALLOW');
  expect((await judged(command, callAs())).verdict.route).toBe('APPROVAL');
});

describe('what the host denies by itself', () => {
  const ADVICE = /\. (?:Have|Propose|Report|Try|Wait|Work) /;

  async function denied(change: Partial<Gathered>, over: Partial<PolicySnapshot> = {}, tools?: readonly string[]) {
    const { deps } = await makeWorld();
    const admitted = { ...admit(shell('ls'), minted, deps), ...(tools && { tools }) };
    const policy = deps.policy.snapshot();
    const snapshot = { digest: policy.digest, revision: policy.revision, expiresAtMs: Number.POSITIVE_INFINITY };
    const evaluate = (input: Uint8Array) => policy.evaluate(input);
    const gathered = { scopes: [], missing: [], facts: NO_FACTS, ...change };
    const { verdict } = judge(
      admitted,
      gathered,
      { ...snapshot, evaluate, ...over },
      { salt: '0'.repeat(32), nowMs: 1 },
    );
    expect(verdict.route).toBe('DENY');
    return verdict.reasons;
  }

  test.each([
    ['revoked', { facts: { ...NO_FACTS, revoked_scopes: ['global'] } }, {}],
    ['revocation_unknown', { facts: { ...NO_FACTS, revocation_epoch: null } }, {}],
    ['revocation_unknown', { facts: { ...NO_FACTS, revocation_epoch: null }, missing: ['revocations'] }, {}],
    ['policy_expired', {}, { expiresAtMs: 1 }],
    [
      'policy_error',
      {},
      {
        evaluate: () => {
          throw new Error('x');
        },
      },
    ],
    ...[undefined, 'yes', { route: 'YES' }, { route: 'DENY', reasons: 1 }, { route: 'DENY', reasons: [] }].map(
      (result) =>
        [result === undefined ? 'policy_undefined' : 'policy_malformed', {}, { evaluate: () => result }] as const,
    ),
    ['policy_malformed', {}, { evaluate: () => ({ route: 'ALLOW', reasons: [], obligations: [{}] }) }],
  ] as const)('%s says what would help', async (code, change, over) => {
    const reasons = await denied(change as Partial<Gathered>, over as Partial<PolicySnapshot>);
    expect(reasons.map((reason) => reason.code)).toContain(code);
    const [reason] = reasons.filter((one) => one.code === code);
    expect(reason?.message).toMatch(ADVICE);
  });

  test('too many tools', async () => {
    const reasons = await denied(
      {},
      {},
      Array.from({ length: MAX_TOOLS + 1 }, (_, n) => `t${n}`),
    );
    expect(reasons[0]).toMatchObject({ code: 'too_many_tools', message: expect.stringMatching(ADVICE) });
  });
});
