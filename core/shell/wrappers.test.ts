import { expect, test } from 'vitest';
import { admitProposal } from '../action/admit.ts';

function targetsOf(command: string): readonly string[] {
  const { action } = admitProposal({
    actions: [{ kind: { case: 'shell', value: { command } } }],
    context: { cwd: '/w', workspace: '/w' },
    detect: () => [],
    digest: () => '0'.repeat(64),
  });
  return action.parts.flatMap((part) => part.targets);
}

test.each([
  'env -C /etc rm passwd',
  'env -C/etc rm passwd',
  'env -iC/etc rm passwd',
  'env --chdir=/etc rm passwd',
  'env --chdir /etc rm passwd',
  'env --ch=/etc rm passwd',
  'env A=1 -C /etc rm passwd',
  'sudo -D /etc rm passwd',
  'sudo -n -D/etc rm passwd',
  'sudo --chdir=/etc -u root rm passwd',
  'unshare --wd=/etc rm passwd',
  'chroot /etc rm passwd',
  'systemd-run --working-directory=/etc rm passwd',
  'systemd-run --working-directory /etc rm passwd',
  'systemd-run rm etc/passwd',
  'uv run --directory /etc rm passwd',
])('a wrapper that goes to another directory first: %s', (command) => {
  expect(targetsOf(command)).toContain('file:/etc/passwd');
});

test('it goes there for the one command alone', () => {
  expect(targetsOf('env -C /etc ls; rm passwd')).toContain('file:/w/passwd');
});

test('a value that looks like the option is none', () => {
  expect(targetsOf('sudo -uDan rm passwd')).toEqual(['file:/w/passwd']);
});

test.each(['CDPATH=/; cd etc; rm passwd', 'export CDPATH=/; cd etc && rm passwd', 'CDPATH=/ cd etc; rm passwd'])(
  'with CDPATH nobody knows where a bare name leads: %s',
  (command) => {
    expect(targetsOf(command)).not.toContain('file:/w/etc/passwd');
  },
);
