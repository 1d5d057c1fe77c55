// What the host adds to what a policy says, and what it never leaves out of the evaluated input.

import { expect, test } from 'vitest';
import { admit } from './admit.ts';
import { callAs, makeWorld, minted, shell } from './decision.fixture.ts';
import { judge } from './judge.ts';

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
