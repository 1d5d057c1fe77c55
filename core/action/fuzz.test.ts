// Nothing a proposal can hold crashes or stalls the reading: only BeaconErrors leave, and in bounded time.
// FUZZ_INPUTS says how many inputs are made: 20,000 unless told; `npm run fuzz` makes 200,000.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BeaconError } from '../errors.ts';
import { admit, admitShell } from './admit.fixture.ts';
import { DANGEROUS, HARMLESS, SEEN } from './disguises.fixture.ts';
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

/** Commands of many families, to be changed. */
const COMMANDS = [
  'kubectl apply -f - <<X\nkind: Pod\nX',
  'X=$(vault kv get -field=p secret/a) npm test',
  'psql -c "do $$ begin execute \'drop table t\'; end $$"',
  'python3 -c "import os; os.remove(\'a.txt\')"',
  'node -e "console.log([1].sort())"',
  'aws s3 cp a s3://b/ --acl public-read --recursive',
  'cat ~/.ss?/id_*',
  'pwsh -Command "Get-ChildItem C:\\Users | Select-Object Name"',
  'export $(grep -v "^#" .env | xargs) && docker compose --env-file .env up',
  'git -c core.pager="sh -c id" log --oneline',
  'for f in data/*.json; do echo {} > "$f"; done',
  'curl -X DELETE https://kubernetes.default.svc/api/v1/namespaces/a -d @- <<< x',
];
/** Ways in which each input of the last property is proposed. */
const SURFACES = 12;
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 20_000);
/** A loaded machine reads some hundred inputs in a second. */
const PATIENCE_MS = 60_000 + INPUTS * 10;
/** No single input may take longer, however it is made. */
const SLOWEST_MS = 2_000;
let made = 0;

function holds(run: () => { action: { parts: readonly { effect: string; targets: readonly string[] }[] } }): void {
  made += 1;
  let admitted: ReturnType<typeof run>;
  const started = performance.now();
  try {
    admitted = run();
  } catch (error) {
    expect(error).toBeInstanceOf(BeaconError);
    return;
  } finally {
    expect(performance.now() - started).toBeLessThan(SLOWEST_MS);
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

test(
  'shell text of any kind',
  () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (command) => holds(() => admitShell(command))),
      { numRuns: Math.ceil(INPUTS * 0.4) },
    );
  },
  PATIENCE_MS,
);

/** Real commands, with pieces put in, taken out, doubled and exchanged. */
const mutated = fc
  .tuple(
    fc.constantFrom(...DANGEROUS, ...HARMLESS, ...COMMANDS),
    fc.constantFrom(...SEEN),
    fc.array(
      fc.record({
        at: fc.nat(400),
        take: fc.nat(6),
        put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 })),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([command, [, disguise], changes]) =>
    changes.reduce((text, { at, take, put }) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + put + text.slice(from + take);
    }, disguise(command)),
  );

test(
  'real commands, changed at random',
  () => {
    fc.assert(
      fc.property(mutated, (command) => holds(() => admitShell(command))),
      { numRuns: Math.ceil(INPUTS * 0.4) },
    );
  },
  PATIENCE_MS,
);

test(
  'arguments, patches, requests and code of any kind',
  () => {
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
        const given = JSON.stringify({
          command: text,
          code: text,
          url: `https://a.example/${text}`,
          path: text,
          kind: text,
        });
        holds(() => admit('tool', { name: tool, argumentsJson }));
        holds(() => admit('mcp', { server: 'kubernetes', tool, argumentsJson: given }));
        holds(() => admit('workflow', { system: 'airflow', step: tool, argumentsJson: given }));
        holds(() => admit('code', { language: 'node', text, cwd: '' }));
        holds(() => admit('mcp', { server: 's', tool, argumentsJson }));
        holds(() => admit('workflow', { system: 'ci', step: text, argumentsJson }));
        holds(() => admit('patch', { patch: text, cwd: '' }));
        holds(() => admit('code', { language: 'python', text, cwd: '' }));
        holds(() => admit('http', { method: 'POST', url: `https://${text}`, headers: { a: text }, body: text }));
        holds(() => admit('kubernetes', { verb: tool, objectJson: argumentsJson }));
        holds(() => admit('browser', { action: tool, url: text, argumentsJson }));
        holds(() => admit('tool', { name: 'query', argumentsJson: JSON.stringify({ sql: text }) }));
      }),
      { numRuns: Math.ceil((INPUTS * 0.2) / SURFACES) },
    );
    expect(made).toBeGreaterThanOrEqual(INPUTS);
  },
  PATIENCE_MS,
);

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
