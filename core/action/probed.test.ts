// Grave things by ways that agents take besides the usual ones, each with its harmless look-alike.

import { describe, expect, test } from 'vitest';
import { admit, admitShell, effects, gravest } from './admit.fixture.ts';

const mcp = (server: string, name: string, given: object) =>
  gravest(admit('mcp', { server, tool: name, argumentsJson: JSON.stringify(given) })).effect;
const step = (run: string) =>
  effects(
    admit('workflow', {
      system: 'github_actions',
      step: 'run',
      argumentsJson: JSON.stringify({ run: run.replaceAll('@', '$') }),
    }),
  );
const shell = (command: string) => gravest(admitShell(command)).effect;

test.each([
  ['kubernetes', 'kubectl_get', { resourceType: 'secrets', namespace: 'prod', output: 'yaml' }, 'secret_fetch'],
  ['k8s', 'resources_get', { resource: 'secret', name: 'db', namespace: 'prod' }, 'secret_fetch'],
  ['kubernetes', 'kubectl_get', { resourceType: 'pods', namespace: 'prod' }, 'read'],
  ['github', 'update_branch_protection', { branch: 'main', required_reviews: 0 }, 'security_disable'],
  ['github', 'update_branch_protection', { branch: 'main', required_reviews: 2 }, 'system_change'],
  ['github', 'get_branch_protection', { branch: 'main' }, 'read'],
  ['gmail', 'modify_forwarding', { forwardTo: 'x@drop.example' }, 'schedule'],
])('%s %s %j is %s', (server, name, given, expected) => expect(mcp(server, name, given)).toBe(expected));

describe('a script that takes in what anybody writes', () => {
  test.each([
    'echo "@{{ github.event.issue.title }}"',
    'git checkout @{{ github.head_ref }}',
    'echo @{{ github.event.pull_request.head.ref }}',
    'echo @{{ github.event.commits[0].message }}',
    "echo '@{{ github.event.comment.body }}' >> notes.txt",
  ])('%s', (run) => expect(step(run)).toContain('run_opaque'));
  test.each([
    'echo @{{ github.sha }}',
    'gh pr view @{{ github.event.pull_request.number }}',
    'git diff @{{ github.event.pull_request.base.ref }}',
    'echo @{{ matrix.node }}',
    'echo "$TITLE"',
  ])('not %s', (run) => expect(step(run)).not.toContain('run_opaque'));
});

test.each([
  ['kubectl port-forward svc/db 5432 --address 0.0.0.0', 'share'],
  ['kubectl port-forward --address=10.0.0.4,localhost svc/db 5432', 'share'],
  ['kubectl port-forward --address localhost svc/db 5432', 'fetch'],
  ['kubectl port-forward svc/db 5432', 'fetch'],
  ['python manage.py createsuperuser --noinput', 'identity_change'],
  ['python manage.py check', 'build'],
  ['istioctl analyze', 'read'],
  ['skaffold diagnose', 'read'],
  ['yarn config set yarnPath /tmp/x.js', 'schedule'],
  ['npx changeset', 'build'],
  ["pdsh -w web[1-9] 'rm -rf /data'", 'run_opaque'],
  ['npx changeset version', 'build'],
  ['npx changeset publish', 'publish'],
  [`man -P 'sh -c "rm -rf ~"' ls`, 'disk_destroy'],
  ['man -k socket', 'none'],
  ['chmod u+s ~/tool', 'identity_change'],
  ['chmod u+s ./tool', 'permission_change'],
  ['cp /bin/sh /tmp/s && chmod 4755 /tmp/s', 'identity_change'],
  ['chmod g+s shared', 'permission_change'],
  ['chmod 2775 shared', 'permission_change'],
  ['chmod u+x,g+w run.sh', 'permission_change'],
  ['xattr -d com.apple.quarantine tool.app', 'system_change'],
  ['xattr -l tool.app', 'permission_change'],
  ['PATH=.:$PATH ls', 'run_unknown'],
  ['PATH="$PWD/bin:$PATH" make', 'build'],
])('%s is %s', (command, expected) => expect(shell(command)).toBe(expected));
