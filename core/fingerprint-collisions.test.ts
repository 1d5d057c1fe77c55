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
  [
    'an account exported before',
    'export AWS_PROFILE=x; aws s3 rm s3://b/x',
    'export AWS_PROFILE=y; aws s3 rm s3://b/x',
  ],
  ['or set, when it may be exported', 'AWS_PROFILE=x; aws s3 rm s3://b/x', 'AWS_PROFILE=y; aws s3 rm s3://b/x'],
  ['or taken away', 'unset AWS_PROFILE; aws s3 rm s3://b/x', 'aws s3 rm s3://b/x'],
  ['or handed on by env', 'env KUBECONFIG=a kubectl delete pod x', 'env KUBECONFIG=b kubectl delete pod x'],
  ['through a shell of its own', 'export A=1; bash -c "frob x"', 'export A=2; bash -c "frob x"'],
  ['through sudo', 'KUBECONFIG=a sudo -E kubectl delete pod x', 'KUBECONFIG=b sudo -E kubectl delete pod x'],
  ['headers', 'curl -H "X-Account: a" -X POST https://x.org', 'curl -H "X-Account: b" -X POST https://x.org'],
  ['a header that names the method', 'curl -H "X-HTTP-Method: DELETE" https://x.org/a', 'curl https://x.org/a'],
  ['through which proxy', 'curl -x http://a -X POST https://x.org', 'curl -x http://b -X POST https://x.org'],
  ['headers of another client', 'http POST https://x.org X-Account:a', 'http POST https://x.org X-Account:b'],
  ['as whom', 'sudo -u a rm x', 'sudo -u b rm x'],
  ['as whom, by su', 'su -c "frob x" a', 'su -c "frob x" b'],
  ['as whom elsewhere', 'ssh u@h rm x', 'ssh v@h rm x'],
  ['by which port', 'ssh -p 22 h rm x', 'ssh -p 2222 h rm x'],
  ['as whom in a container', 'docker exec -u a box rm x', 'docker exec -u b box rm x'],
  ['in which namespace', 'kubectl exec -n a p -- rm x', 'kubectl exec -n b p -- rm x'],
  ['in which repository', 'git push origin f', 'cd /w/other && git push origin f'],
  ['the same by its option', 'git -C a push origin f', 'git -C b push origin f'],
  [
    'by a setting for one command',
    'git -c remote.origin.url=a push origin f',
    'git -c remote.origin.url=b push origin f',
  ],
  ['which package is published', '(cd a; npm publish)', '(cd b; npm publish)'],
  ['which project is built', 'make -C a install', 'make -C b install'],
  ['which infrastructure', '(cd a; terraform apply)', '(cd b; terraform apply)'],
  ['which program of a project', 'cargo run --bin a', 'cargo run --bin b'],
  ['when it runs', 'a && rm x', 'a || rm x'],
])('another effect has another fingerprint: %s', (_, one, other) => {
  expect(shell(one)).not.toBe(shell(other));
});

test.each([
  ['rm a', 'rm  ./a'],
  ['kubectl -n a delete pod x', 'kubectl delete pod x -n a'],
  ['mv a b', 'mv ./a /w/b'],
  ['cat a b', 'cat b a'],
  ['git push origin main', 'git push origin refs/heads/main:main'],
  ['cd /w && git push origin main', 'git push origin main'],
  ['git -C a push origin f', 'cd a && git push origin f'],
  ['git -C a -C b push origin f', 'git -C a/b push origin f'],
  ['sudo -u root rm x', 'sudo rm x'],
  ['sudo -u a rm x', 'sudo --user=a rm x'],
  ['ssh u@h rm x', 'ssh -l u h rm x'],
  ['env A=1 frob x', 'A=1 frob x'],
  ['export A=1; frob x', 'A=1 frob x'],
  ['curl -s -m 5 -X POST https://x.org', 'curl -X POST https://x.org'],
  ['curl -H "a: 1" -H "B: 2" -X POST https://x.org', 'curl -X POST https://x.org -H "b:2" -H "A: 1"'],
  ['B=main; git push origin $B', 'git push origin main'],
])('another wording has the same: %s', (one, other) => {
  expect(shell(one)).toBe(shell(other));
});

const http = (headers: Record<string, string>) =>
  named('http', { method: 'POST', url: 'https://x.org/a', headers, body: 'b' });

test('headers of a request are part of it, in any order and case; what passes is not', () => {
  expect(http({ 'x-account': 'a' })).not.toBe(http({ 'x-account': 'b' }));
  expect(http({ 'x-http-method-override': 'DELETE' })).not.toBe(http({}));
  expect(http({ 'X-Account': 'a', b: '1', 'User-Agent': 'x' })).toBe(http({ B: '1', 'x-account': 'a' }));
});

test('where nobody tells the directory, two are still two', () => {
  const nowhere = (command: string) =>
    fingerprint(
      admitProposal({
        actions: [{ kind: { case: 'shell', value: { command } } }],
        context: {},
        detect: () => [],
        digest,
      }).action,
    );
  expect(nowhere('cd a; git push origin f')).not.toBe(nowhere('cd b; git push origin f'));
});

test.each([
  ['kubernetes', { verb: `${'a'.repeat(63)}😀b`, objectJson: '{"kind":"Pod","metadata":{"name":"x"}}' }],
  ['browser', { action: `${'a'.repeat(63)}😀b`, url: 'https://x.example/' }],
  ['mcp', { server: `${'a'.repeat(127)}😀b`, tool: 't', argumentsJson: '{}' }],
  ['shell', { command: `${'x'.repeat(127)}😀b y` }],
])('a name too long to be kept is not cut inside a character: %s', (kind, value) => {
  expect(named(kind, value)).toMatch(/^[0-9a-f]{64}$/);
});
