import { expect, test } from 'vitest';
import { admit, admitShell, tool } from './action/admit.fixture.ts';
import { fingerprint } from './fingerprint.ts';

const of = (command: string) => fingerprint(admitShell(command).action);

test('one effect has one fingerprint, whatever it is worded like', () => {
  const push = of('git push origin main');
  const same = [
    of('git   push  origin main'),
    of('git \'push\' "origin" ma\\in'),
    of('b=main; git push origin $b'),
    of('bash -c "git push origin main"'),
    of('git push -q origin main'),
    of('git push --verbose origin main 2>&1 | tail -3'),
    of('echo pushing; git push origin refs/heads/main; echo done'),
    fingerprint(
      admit('mcp', {
        server: 'git',
        tool: 'git_push',
        argumentsJson: '{"repo_path":"/home/ada/work","remote":"origin","branch":"main"}',
      }).action,
    ),
    fingerprint(admit('workflow', { system: 'ci', step: 'git push origin main', argumentsJson: '' }).action),
    fingerprint(
      admit('workflow', { system: 'ci', step: 'release', argumentsJson: '{"run":"git push origin main"}' }).action,
    ),
    fingerprint(tool('Bash', { command: 'git push origin main', description: 'Push' }).action),
    fingerprint(tool('shell', { command: ['bash', '-lc', 'git push origin main'] }).action),
  ];
  expect(new Set(same)).toEqual(new Set([push]));
  expect(push).toMatch(/^[0-9a-f]{64}$/);
});

test('order of flags and of targets does not matter, files by shell and by tool are the same', () => {
  expect(of('rm -r -f b a')).toBe(of('rm -fr a b'));
  expect(of('rm -rf ./a/../b')).toBe(of('rm --recursive --force b'));
  expect(of('echo hi > a.txt')).toBe(
    fingerprint(tool('Write', { file_path: '/home/ada/work/a.txt', content: 'hi\n' }).action),
  );
});

test('another effect, target or content has another', () => {
  const all = [
    'git push origin main',
    'git push origin next',
    'git push upstream main',
    'git push -f origin main',
    'git push origin +main',
    'rm -rf a',
    'rm -rf b',
    'rm a',
    'sudo rm a',
    'echo hi > a',
    'echo ho > a',
    'echo hi >> a',
    'git commit -m one',
    'git commit -m two',
    'curl -d a https://x.org',
    'curl -d b https://x.org',
    'curl -X DELETE https://x.org/a',
    'curl -X DELETE https://x.org/b',
    'npm install left',
    'npm install right',
    'frobnicate a',
    'frobnicate b',
    'docker run a',
    'docker run --privileged a',
    'kubectl delete pod a',
    'kubectl delete pod a -n other',
    'psql -c "delete from a where b=1"',
    'psql -c "delete from a where b=2"',
    'gh pr create -t a -b b',
    'gh pr create -t a -b c',
    'terraform apply -var a=1',
    'terraform apply -var a=2',
  ];
  expect(new Set(all.map(of)).size).toBe(all.length);
});
