// Text made to be hard to search through: what is looked for in it is looked for once.

import { expect, test } from 'vitest';
import { CONTEXT } from '../action/admit.fixture.ts';
import { admitProposal } from '../action/admit.ts';

/** A slow machine takes a tenth of it; what looks back from each character takes hours. */
const SOON_MS = 1_000;
const parts = (command: string) => {
  const actions = [{ kind: { case: 'shell', value: { command, cwd: '/w' } } }];
  return admitProposal({ actions, context: CONTEXT, detect: () => [], digest: () => 'd' }).action.parts;
};

test.each(
  ['sed -e', 'sed -i', 'python3 -c', 'node -e', 'perl -e'].flatMap((program) =>
    ['s/a/b/;', '\n', 'insert into a ', 'import os;', 'sggg', ' '].map((unit) => [program, unit] as const),
  ),
)('%s of %j, as often as fits, is understood soon', (program, unit) => {
  const started = performance.now();
  parts(`${program} '${unit.repeat(Math.floor(60_000 / unit.length))}' x`);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
});

test.each([['s/a/b/e'], ['s|a|b|ge'], ['s,a\\,b,c,2e'], ['p;\n\n   e date'], ['1e'], ['s/x/y/;s#a#touch b#e']])(
  'a sed script that runs something does so after any number of blanks: %j',
  (script) => {
    for (const text of [script, `${'\n'.repeat(2_000)}${script}`, `${'s/a/b/;'.repeat(2_000)}\n${script}`]) {
      expect(parts(`sed -e '${text}' x`).map(({ effect }) => effect)).toContain('run_opaque');
    }
  },
);

test('a sed script that runs nothing is only that', () => {
  for (const script of ['s/a/b/', 'y/abc/def/', '/se/d']) {
    expect(parts(`sed -e '${script}' x`).map(({ effect }) => effect)).not.toContain('run_opaque');
  }
});

test('more redirections than a script has commands are opaque, and soon', () => {
  const started = performance.now();
  expect(parts(`pwsh -c '${'=>'.repeat(30_000)}'`).map(({ effect }) => effect)).toContain('run_opaque');
  expect(performance.now() - started).toBeLessThan(SOON_MS);
});
