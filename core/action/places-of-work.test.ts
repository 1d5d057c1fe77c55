import { describe, expect, test } from 'vitest';
import { admitShell, CONTEXT, gravest } from './admit.fixture.ts';

const part = (command: string, context = CONTEXT) => gravest(admitShell(command, context));

describe('what an option moves elsewhere is judged there', () => {
  test.each([
    ['pnpm -C /etc exec rm passwd', 'file:/etc/passwd', 'rm passwd'],
    ['npm --prefix /etc exec -- rm passwd', 'file:/etc/passwd', 'rm passwd'],
    ['npx --prefix /etc rm passwd', 'file:/etc/passwd', 'rm passwd'],
    ['uv --directory /etc run rm passwd', 'file:/etc/passwd', 'rm passwd'],
    ['poetry -C /etc run rm passwd', 'file:/etc/passwd', 'rm passwd'],
    ['git -C /etc rm -f passwd', 'file:/etc/passwd', 'git rm -f passwd'],
    ['tar -cf x.tar --remove-files -C / -C etc passwd', 'file:/etc/passwd', 'tar -cf x.tar --remove-files passwd'],
  ])('%s', (moved, target, here) => {
    expect(part(moved).targets).toContain(target);
    expect(part(moved).effect).not.toBe(part(here).effect);
  });

  test.each([
    'make -C /etc clean',
    'make --directory=/etc clean',
    'just -d /etc x',
    'just --justfile /etc/justfile x',
    'npm --prefix /etc test',
    'yarn --cwd /etc test',
    'cargo test --manifest-path /etc/x/Cargo.toml',
    'go -C /etc test ./...',
    'ninja -C /etc',
    'mvn -f /etc/x/pom.xml test',
    'composer -d /etc test',
    'cd /etc && make clean',
    'env -C /etc make clean',
  ])('the scripts of another folder are not the workspace’s: %s', (command) => {
    const { effect, flags, targets } = part(command);
    expect(effect).toBe('build');
    expect(flags).toContain('script_unknown');
    expect(targets.some((target) => target.startsWith('file:/etc'))).toBe(true);
  });

  test.each([
    'make clean',
    'make -C sub clean',
    'npm --prefix packages/a test',
    'cd sub && npm test',
    'cargo test --manifest-path sub/Cargo.toml',
    'go -C sub test ./...',
    'git -C /home/ada/work status',
  ])('a folder of the workspace is the workspace: %s', (command) => {
    expect(part(command).flags).not.toContain('script_unknown');
  });

  test('what is installed into the system is installed for all', () => {
    expect(part('npm --prefix /usr/lib install x').effect).toBe('install_system');
    expect(part('pip install --target /usr/lib/python3 x').effect).toBe('install_system');
    expect(part('pip install --target ./vendor x').effect).toBe('install_local');
  });

  test('the branch told is that of the workspace only', () => {
    expect(part('git push').flags).not.toContain('branch_unknown');
    expect(part('git -C ../other push').flags).toContain('branch_unknown');
  });
});

describe('a script is what the repository holds, or unseen', () => {
  const git = (over: object) => ({ ...CONTEXT, git: { branch: 'feature/x', ...over } });
  const RUNS = ['./x.sh', 'bash x.sh', 'source x.sh', 'sh < x.sh', 'python x.py', 'node x.js', 'sudo -u ada ./x.sh'];

  test.each(RUNS)('nothing known about it: %s', (command) => {
    const { effect, flags } = part(command);
    expect(effect).toBe('build');
    expect(flags).toContain('script_unknown');
  });

  test.each(RUNS)('tracked and unchanged: %s', (command) => {
    const { effect, flags } = part(command, git({ tracked: ['x.sh', 'x.py', 'x.js'], dirty: false }));
    expect(effect).toBe('build');
    expect(flags).not.toContain('script_unknown');
    expect(flags).not.toContain('script_changed');
  });

  test.each(RUNS)('tracked and changed, or not tracked: %s', (command) => {
    expect(part(command, git({ tracked: ['x.sh', 'x.py', 'x.js'], dirty: true })).flags).toContain('script_changed');
    expect(part(command, git({ tracked: ['y'], dirty: false })).effect).toBe('run_unknown');
  });

  test.each([
    'python --version',
    "node -e 'console.log(1)'",
    'python -m pytest',
    'python -m venv .venv',
    'npm test',
    'make',
    'cargo build',
    'go test ./...',
    './gradlew test',
    'python manage.py test',
    'bash -n x.sh',
  ])('an entry point of a build tool, or no script at all: %s', (command) => {
    const { effect, flags } = part(command);
    expect(flags).not.toContain('script_unknown');
    expect(['none', 'read', 'build', 'install_local']).toContain(effect);
  });
});
