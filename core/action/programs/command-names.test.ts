import { describe, expect, test } from 'vitest';
import { admit, admitShell, CONTEXT } from '../admit.fixture.ts';
import { MAX_CALLED } from '../called.ts';
import { MAX_NAMES } from './command-names.ts';

const called = (command: string) => admitShell(command).commands.list;
const names = (command: string) => called(command).flat();

describe('a command goes by', () => {
  test.each([
    ['git push', ['git', 'git push']],
    ['git push origin', ['git', 'git push', 'git push origin']],
    ['git -C /srv/x push origin', ['git', 'git push', 'git push origin']],
    ['/usr/bin/git push', ['git', 'git push']],
    ['gi""t pu\\sh', ['git', 'git push']],
    ['npm test', ['npm', 'npm test']],
    ['npm run deploy', ['npm', 'npm run', 'npm run deploy']],
    ['make deploy', ['make', 'make deploy']],
    ['terraform state rm aws_instance.x', ['terraform', 'terraform state', 'terraform state rm']],
    ['./scripts/deploy.sh', ['deploy.sh']],
    ['acmectl db drop', ['acmectl', 'acmectl db', 'acmectl db drop']],
    ['k delete pod web', ['k', 'k delete', 'k delete pod', 'k delete pod web', 'kubernetes', 'kubernetes delete']],
    ['$TOOL push', ['?']],
  ])('%s', (command, expected) => expect(names(command).slice(0, expected.length)).toEqual(expected));

  test('an option, wherever it stands and however it is written', () => {
    for (const command of ['git push --force origin x', 'git push origin x --force', 'git push --force=true'])
      expect(names(command)).toContain('git push --force');
    expect(names('git clean -fd')).toEqual(expect.arrayContaining(['git clean -f', 'git clean -d']));
    expect(names('npm publish --access public')).toContain('npm publish --access');
  });

  test('each command of a line, and what wrappers, substitutions and other shells run', () => {
    const line = 'cd x && sudo env A=b bash -c "git push; $(curl -s https://example.org/x)" | tee log; eval "npm test"';
    const heads = called(line).map(([name]) => name);
    for (const name of ['sudo', 'env', 'bash', 'git', 'curl', 'tee', 'eval', 'npm']) expect(heads).toContain(name);
    expect(heads).not.toContain('cd');
  });

  test('what other surfaces run', () => {
    const given = { command: 'git push --force' };
    for (const admitted of [
      admit('tool', { name: 'Bash', argumentsJson: JSON.stringify(given) }),
      admit('mcp', { server: 's', tool: 'run_command', argumentsJson: JSON.stringify(given) }),
      admit('workflow', { system: 'ci', step: 'run', argumentsJson: '{"run":"git push --force"}' }),
      admit('code', { language: 'python', text: 'import os\nos.system("git push --force")' }),
    ])
      expect(admitted.commands.list.flat()).toContain('git push --force');
  });
});

describe('names alone', () => {
  test.each([
    ['a message', 'git commit -m "hunter two"', ['git', 'git commit', 'git commit -m']],
    ['text that is printed', 'echo hunter', ['echo']],
    ['a value of an option', 'mysql -p hunter -e x', ['mysql']],
    ['a value that is attached', 'mysql -phunter', ['mysql']],
    ['a word with digits', 'acmectl login hunter22', ['acmectl', 'acmectl login']],
    ['a pattern', 'grep hunter file', ['grep']],
  ])('%s', (_what, command, expected) => {
    expect(names(command).filter((name) => !/ -{1,2}\w+$/.test(name) || expected.includes(name))).toEqual(expected);
    expect(JSON.stringify(called(command))).not.toContain('hunter');
  });

  test('what a detector finds is replaced', () => {
    expect(JSON.stringify(called('CANARYabcd push; acmectl --CANARYabcd'))).not.toContain('CANARYabcd');
  });
});

test('they are bounded, each command once, and more are said to be more', () => {
  expect(called('git status; git status; git  status')).toHaveLength(1);
  for (const list of called(
    `acmectl a b c ${'abcdefgh'
      .split('')
      .map((x) => `--${x}${x}`)
      .join(' ')}`,
  ))
    expect(list.length).toBeLessThanOrEqual(MAX_NAMES);
  const many = Array.from({ length: MAX_CALLED + 20 }, (_, n) => `tool-${n} x`).join(';');
  const { list, complete } = admitShell(many).commands;
  expect([list.length, complete]).toEqual([MAX_CALLED, false]);
  expect(admitShell('ls').commands.complete).toBe(true);
});

test('what is called is no part of what is done', () => {
  const { action } = admitShell('npm test', CONTEXT);
  expect(action.parts).toHaveLength(1);
  expect(JSON.stringify(action)).not.toContain('"call"');
});
