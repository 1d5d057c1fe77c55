import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { admitProposal } from './action/admit.ts';
import { fingerprint } from './fingerprint.ts';

const digest = (text: string) => createHmac('sha256', 'key').update(text).digest('hex');
const context = { cwd: '/w', workspace: '/w' };

function named(kind: string, value: object): string {
  return fingerprint(
    admitProposal({ actions: [{ kind: { case: kind, value } }], context, detect: () => [], digest }).action,
  );
}
const shell = (command: string) => named('shell', { command });
const files = (last: string) =>
  `${Array.from({ length: 70 }, (_, i) => `f${String(i).padStart(3, '0')}`).join(' ')} ${last}`;

test.each([
  ['characters nobody sees', "rm 'a\u200b'", "rm 'a\u200c'"],
  ['and what they are shown as', "rm 'a\u200b'", "rm 'a\ufffd'"],
  ['control characters', "rm $'a\\nb'", "rm $'a\\tb'"],
  ['the last of very many files', `cat ${files('zz1')}`, `cat ${files('zz2')}`],
  ['which way something moves', 'mv a b', 'mv b a'],
  ['variables set for a command', 'KUBECONFIG=a kubectl delete pod x', 'KUBECONFIG=b kubectl delete pod x'],
  ['and for one no table knows', 'A=1 frob x', 'A=2 frob x'],
  ['which namespace, wherever it is said', 'kubectl -n a delete pod x', 'kubectl -n b delete pod x'],
  ['which cluster', 'kubectl --context a delete pod x', 'kubectl --context b delete pod x'],
  ['which account', 'aws --profile a s3 rm s3://b/x', 'aws --profile c s3 rm s3://b/x'],
  ['what is piped into a program', "echo 'drop table a' | psql", "echo 'drop table b' | psql"],
  ['which branch becomes another', 'git push origin a:main', 'git push origin b:main'],
  ['which version a file is set back to', 'git checkout a -- f', 'git checkout b -- f'],
  ['the same by restore', 'git restore --source=a f', 'git restore --source=b f'],
  ['the last of very many words', `frob ${files('zz1')}`, `frob ${files('zz2')}`],
])('another effect has another fingerprint: %s', (_, one, other) => {
  expect(shell(one)).not.toBe(shell(other));
});

test.each([
  ['rm a', 'rm  ./a'],
  ['kubectl -n a delete pod x', 'kubectl delete pod x -n a'],
  ['mv a b', 'mv ./a /w/b'],
  ['cat a b', 'cat b a'],
  ['git push origin main', 'git push origin refs/heads/main:main'],
])('another wording has the same: %s', (one, other) => {
  expect(shell(one)).toBe(shell(other));
});

test.each([
  ['kubernetes', { verb: `${'a'.repeat(63)}😀b`, objectJson: '{"kind":"Pod","metadata":{"name":"x"}}' }],
  ['browser', { action: `${'a'.repeat(63)}😀b`, url: 'https://x.example/' }],
  ['mcp', { server: `${'a'.repeat(127)}😀b`, tool: 't', argumentsJson: '{}' }],
  ['shell', { command: `${'x'.repeat(127)}😀b y` }],
])('a name too long to be kept is not cut inside a character: %s', (kind, value) => {
  expect(named(kind, value)).toMatch(/^[0-9a-f]{64}$/);
});
