// Nothing a proposal can hold crashes or stalls the reading: only BeaconErrors leave, and in bounded time.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BeaconError } from '../errors.ts';
import { admit, admitShell } from './admit.fixture.ts';
import { EFFECTS } from './types.ts';

const PIECES = [
  'rm',
  ' ',
  '-rf',
  '/',
  '~',
  '"',
  "'",
  '$(',
  '`',
  ')',
  '(',
  '{',
  '}',
  ';',
  '|',
  '||',
  '&&',
  '&',
  '<<E\n',
  'E\n',
  '<',
  '>',
  '>>',
  '<<<',
  '$X',
  '$' + '{X:-y}',
  '$' + '{X/a/b}',
  '*',
  '?',
  '[a-z]',
  '\\',
  '\n',
  'if ',
  'then ',
  'fi',
  'for x in ',
  'do ',
  'done',
  'case ',
  'esac',
  'f()',
  'eval ',
  'bash -c ',
  'sudo ',
  'xargs ',
  'find . -exec ',
  'git push ',
  'curl ',
  'https://a.b/c?d=e',
  "$'\\x41'",
  'a=b',
  '#',
  '!',
  '[[ ',
  ' ]]',
  '((',
  '))',
  '\u0000',
  '\ud83d\ude00',
  '\u202e',
  'tar xf ',
  'docker run -v /:/x ',
  'kubectl delete ',
  'psql -c ',
  'python -c ',
  'awk ',
  'sed -i ',
  'ssh h ',
  'rsync a:b c',
  'dd of=',
  'npm run ',
  'function ',
  'select ',
  'coproc ',
  'time ',
  '2>&1',
  '{a,b}',
  '{1..9}',
  '-',
  '--',
  '=',
];

function holds(run: () => { action: { parts: readonly { effect: string; targets: readonly string[] }[] } }): void {
  let admitted: ReturnType<typeof run>;
  try {
    admitted = run();
  } catch (error) {
    expect(error).toBeInstanceOf(BeaconError);
    return;
  }
  const { parts } = admitted.action;
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) {
    expect(EFFECTS).toContain(part.effect);
    for (const target of part.targets) {
      expect(target.length).toBeLessThanOrEqual(320);
      expect(target.isWellFormed()).toBe(true);
      expect(target).not.toMatch(/\p{Cc}|\p{Cf}/u);
    }
  }
}

test('shell text of any kind', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (command) => holds(() => admitShell(command))),
    { numRuns: 1_500 },
  );
}, 60_000);

test('arguments, patches, requests and code of any kind', () => {
  const json = fc.json({ maxDepth: 4 });
  const name = fc.oneof(
    fc.constantFrom(
      'Bash',
      'Write',
      'Edit',
      'apply_patch',
      'WebFetch',
      'mcp__git__git_push',
      'execute_sql',
      'delete_user',
      'Task',
      'browser_click',
      'constructor',
      '__proto__',
    ),
    fc.string({ maxLength: 30 }),
  );
  const pieces = fc
    .array(
      fc.constantFrom(
        ...PIECES,
        '*** Begin Patch\n',
        '*** Add File: ',
        '--- a/x\n+++ b/x\n',
        'import os; ',
        'DROP TABLE ',
      ),
      { maxLength: 30 },
    )
    .map((list) => list.join(''));
  fc.assert(
    fc.property(name, json, pieces, (tool, argumentsJson, text) => {
      holds(() => admit('tool', { name: tool, argumentsJson }));
      holds(() => admit('mcp', { server: 's', tool, argumentsJson }));
      holds(() => admit('workflow', { system: 'ci', step: text, argumentsJson }));
      holds(() => admit('patch', { patch: text, cwd: '' }));
      holds(() => admit('code', { language: 'python', text, cwd: '' }));
      holds(() => admit('http', { method: 'POST', url: `https://${text}`, headers: { a: text }, body: text }));
      holds(() => admit('kubernetes', { verb: tool, objectJson: argumentsJson }));
      holds(() => admit('browser', { action: tool, url: text, argumentsJson }));
      holds(() => admit('tool', { name: 'query', argumentsJson: JSON.stringify({ sql: text }) }));
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('64 KiB of anything is judged within two seconds', () => {
  const slow = [
    '$(',
    '`',
    '(',
    '{ ',
    'a;',
    'a|',
    '"',
    "'",
    '$((',
    '$' + '{a:-',
    '<<a ',
    '>a ',
    '{a,b}',
    '$a',
    'a=$a$a;',
    'if a;then ',
    'case a in a) ',
    'f(){ ',
    'coproc ',
    '\\',
    '~/',
    'eval ',
    'bash -c "',
    'sudo ',
    'env ',
    'xargs ',
    'find . -exec ',
    '((',
    '<(',
    'ssh h ',
    'a<b>c;',
    'rm -rf a;',
    'a &',
    '$IFS',
  ];
  for (const piece of slow) {
    const text = piece.repeat(Math.floor(65_536 / piece.length));
    const started = performance.now();
    holds(() => admitShell(text));
    holds(() => admit('code', { language: 'python', text, cwd: '' }));
    expect(performance.now() - started, piece).toBeLessThan(2_000);
  }
}, 60_000);
