// Loops in loops multiply; what they may take to understand does not.

import { expect, test } from 'vitest';
import { CONTEXT } from '../action/admit.fixture.ts';
import { admitProposal } from '../action/admit.ts';

const WORDS = 'a b c d e f g h i j k l m n o p';
const nested = (deep: number, body: string) => `for i in ${WORDS}; do `.repeat(deep) + body + '; done'.repeat(deep);
const shell = (command: string) => ({ kind: { case: 'shell', value: { command, cwd: '/w' } } });
const admit = (...commands: readonly string[]) =>
  admitProposal({ actions: commands.map(shell), context: CONTEXT, detect: () => [], digest: () => 'd' }).action.parts;
const flags = (...commands: readonly string[]) => admit(...commands).flatMap((part) => part.flags);

/** Far more than it takes on a slow machine, and far less than forever. */
const SOON_MS = 5_000;

test.each([
  ['loops', nested(45, ':')],
  ['loops that do nothing but loop', nested(40, 'if x; then y=z; fi')],
  ['tests', nested(30, '[[ a == b ]]')],
  ['substitutions', nested(30, 'case $(ls) in a) ;; esac')],
  ['many variables', `${Array.from({ length: 900 }, (_, n) => `v${n}=x`).join(';')};${nested(45, ':')}`],
  ['long values', `a=${'x'.repeat(30_000)};for i in $a$a $a$a $a$a; do ${nested(6, 'b=$a$a')}; done`],
  ['called again and again', `f() { ${nested(20, ':')}; }; ${'f;'.repeat(900)}`],
])('%s end soon, and what was not looked at is opaque', (_, command) => {
  const started = performance.now();
  expect(flags(command).some((flag) => flag.startsWith('opaque_too_'))).toBe(true);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
});

test('many of them in one proposal end as soon as one', () => {
  const started = performance.now();
  expect(flags(...Array.from({ length: 64 }, (_, n) => nested(6, `: ${n}`)))).toContain('opaque_too_much');
  expect(performance.now() - started).toBeLessThan(SOON_MS / 2);
});

test('what stands behind loops that are looked through is seen, and one proposal does not count for another', () => {
  for (let n = 0; n < 100; n += 1) {
    const effects = admit(`${nested(2, 'touch $i')}; rm -rf /`).map(({ effect }) => effect);
    expect(effects).toContain('disk_destroy');
    expect(effects).not.toContain('run_opaque');
  }
});
