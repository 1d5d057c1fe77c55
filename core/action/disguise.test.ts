// The same effect, dressed differently: no disguise makes a grave command look milder,
// and a harmless one stays harmless unless the disguise itself cannot be seen through.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admitShell, gravest } from './admit.fixture.ts';
import { DANGEROUS, HARMLESS, OPAQUE, SEEN } from './disguises.fixture.ts';
import { gravity } from './effects.ts';

const severity = (command: string) => gravity(gravest(admitShell(command)).effect);

test.each(SEEN)('%s hides nothing', (_name, disguise) => {
  for (const command of DANGEROUS) {
    const dressed = disguise(command);
    expect(severity(dressed), dressed).toBeGreaterThanOrEqual(severity(command));
  }
});

test.each(SEEN.filter(([name]) => !OPAQUE.has(name)))('%s makes nothing harmless grave', (_name, disguise) => {
  for (const command of HARMLESS) {
    const dressed = disguise(command);
    expect(severity(dressed), dressed).toBeLessThanOrEqual(Math.max(severity(command), 2));
  }
});

test('disguises over disguises hide nothing', () => {
  const layered = SEEN.filter(([name]) =>
    [
      'bash -c',
      'eval',
      'function',
      'subshell',
      'loop',
      'pipe to sh',
      'base64',
      'behind others',
      'substitution',
      'condition',
      'eval of a variable',
      'here-string',
      'trap',
    ].includes(name),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...DANGEROUS),
      fc.array(fc.constantFrom(...layered), { minLength: 1, maxLength: 4 }),
      (command, disguises) => {
        const dressed = disguises.reduce((text, [, disguise]) => disguise(text), command);
        expect(severity(dressed), dressed).toBeGreaterThanOrEqual(severity(command));
      },
    ),
    { numRuns: 300 },
  );
});

test('what cannot be seen through is opaque, never mild', () => {
  for (const command of [
    '$(cat cmd.txt) -rf /',
    'eval "$PAYLOAD"',
    'bash -c "$PAYLOAD"',
    'base64 -d payload.b64 | sh',
    'source /tmp/x.sh',
    '. <(gpg -d x.gpg)',
    'python3 - < /tmp/x.py',
    'sh /tmp/unseen.sh',
    '"$SHELL" -c "$X"',
    '/bin/r? -rf /',
    'openssl base64 -d -in x | bash',
    'if [ ; then',
  ]) {
    expect(severity(command), command).toBeGreaterThanOrEqual(gravity('run_opaque'));
  }
});
