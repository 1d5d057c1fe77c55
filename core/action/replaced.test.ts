// A write that begins a file anew: what git holds, what nobody knows, what exists nowhere else, what was never there.

import { expect, test } from 'vitest';
import { admit, admitShell, CONTEXT, gravest } from './admit.fixture.ts';
import type { ActionContext } from './types.ts';

const git = (over: object): ActionContext => ({ ...CONTEXT, git: { branch: 'feature/x', ...over } });
const KNOWN = git({ tracked: ['held.txt'], untracked: ['only.txt'] });
const flags = (command: string, context: ActionContext = CONTEXT) =>
  admitShell(command, context).action.parts.flatMap((part) => part.flags);

const WRITES: readonly (readonly [string, (name: string) => string])[] = [
  ['redirection', (name) => `echo x > ${name}`],
  ['here-document', (name) => `cat > ${name} <<'E'\nx\nE`],
  ['tee', (name) => `echo x | tee ${name}`],
  ['cp', (name) => `cp a.txt ${name}`],
  ['python', (name) => `python3 -c "open('${name}','w').write('x')"`],
  ['node', (name) => `node -e "require('fs').writeFileSync('${name}','x')"`],
  ['curl', (name) => `curl -so ${name} https://example.org/x`],
];

test.each(WRITES)('%s', (_name, write) => {
  expect(flags(write('held.txt'), KNOWN)).toContain('replaces');
  expect(flags(write('only.txt'), KNOWN)).toContain('only_copy');
  expect(flags(write('new.txt'), KNOWN)).not.toContain('replaces');
  expect(flags(write('new.txt'), KNOWN)).not.toContain('only_copy');
  expect(flags(write('any.txt'))).toContain('replaces');
  expect(flags(write('/tmp/any.txt'))).not.toContain('replaces');
  expect(flags(write('dist/any.js'))).not.toContain('replaces');
});

test('the tools every agent has', () => {
  const write = (context: ActionContext) =>
    gravest(admit('tool', { name: 'Write', argumentsJson: '{"file_path":"only.txt","content":"x"}' }, context)).flags;
  expect(write(KNOWN)).toContain('only_copy');
  expect(write(CONTEXT)).toContain('replaces');
  const edit = gravest(
    admit('tool', { name: 'Edit', argumentsJson: '{"file_path":"a","old_string":"a","new_string":"b"}' }),
  );
  expect(edit.flags).not.toContain('replaces');
});

test.each([
  'echo x >> a.txt',
  "sed -i 's/a/b/' a.txt",
  'touch a.txt',
  'mkdir a',
  'cp -n a b',
  'mv -n a b',
  "python3 -c \"open('a.txt','a').write('x')\"",
])('adds, or takes nothing: %s', (command) => expect(flags(command)).not.toContain('replaces'));

test('what a patch adds is new, unless it is known to be there', () => {
  const added = (path: string, context: ActionContext) =>
    gravest(admit('patch', { patch: `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch`, cwd: '' }, context))
      .flags;
  expect(added('any.txt', CONTEXT)).not.toContain('replaces');
  expect(added('held.txt', KNOWN)).toContain('replaces');
  expect(added('only.txt', KNOWN)).toContain('only_copy');
});

test('whatever fits a pattern', () => {
  expect(flags('for f in data/*.json; do echo {} > "$f"; done')).toContain('replaces_many');
  expect(flags('for f in dist/*.js; do echo {} > "$f"; done')).not.toContain('replaces_many');
  expect(flags('truncate -s 0 data/*.csv')).toContain('replaces_many');
  expect(gravest(admitShell('shred -u reports/*.pdf')).effect).toBe('delete');
});

test('emptying takes what is there', () => {
  const { effect, flags: found } = gravest(admitShell('cp /dev/null data.csv', git({ tracked: ['a'] })));
  expect(effect).toBe('overwrite');
  expect(found).toContain('untracked');
});

test('where something is moved to need not be there', () => {
  const moved = (command: string, context: ActionContext) => gravest(admitShell(command, context)).flags;
  expect(moved('mv held.txt new.txt', KNOWN)).not.toContain('untracked');
  expect(moved('mv held.txt new.txt', git({ tracked: ['held.txt'] }))).not.toContain('untracked');
  expect(moved('mv only.txt new.txt', git({ tracked: ['held.txt'] }))).toContain('untracked');
  expect(moved('mv held.txt only.txt', KNOWN)).toContain('untracked');
});

test('a list that holds anything but paths was not told', () => {
  const odd = git({ tracked: ['held.txt'], untracked: [1] as unknown as string[] });
  expect(flags('echo x > new.txt', odd)).toContain('replaces');
});

test('into a folder it is the file in it', () => {
  expect(gravest(admitShell('cp a/b.txt out2/')).targets).toEqual(['file:/home/ada/work/out2/b.txt']);
  expect(gravest(admitShell('cp x .git/hooks/')).effect).toBe('schedule');
});
