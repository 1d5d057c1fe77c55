// Every surface but the shell: tools by name and by verb, patches, requests, objects, browsers, prompts.

import { describe, expect, test } from 'vitest';
import { admit, gravest, tool } from './admit.fixture.ts';

const mcp = (server: string, name: string, given: object = {}) =>
  gravest(admit('mcp', { server, tool: name, argumentsJson: JSON.stringify(given) }));

describe('tools every agent has', () => {
  test.each([
    ['Bash', { command: 'rm -rf /' }, 'disk_destroy'],
    ['exec_command', { cmd: 'git push origin main' }, 'vcs_push'],
    ['shell', { command: ['bash', '-lc', 'cat ~/.ssh/id_rsa'] }, 'read_credential'],
    ['shell', { command: ['rm', '-rf', '/'] }, 'disk_destroy'],
    ['run_shell_command', { command: 'ls' }, 'read'],
    ['Write', { file_path: 'a.txt', content: 'x' }, 'write'],
    ['Write', { file_path: '/home/ada/.claude/settings.json', content: '{}' }, 'self_governance'],
    ['Write', { file_path: '/etc/hosts', content: '' }, 'system_change'],
    ['Edit', { file_path: '.github/workflows/ci.yml', old_string: 'a', new_string: 'b' }, 'schedule'],
    ['MultiEdit', { file_path: 'a.ts', edits: [] }, 'write'],
    ['NotebookEdit', { notebook_path: 'a.ipynb', new_source: 'x' }, 'write'],
    ['str_replace_editor', { command: 'view', path: 'a.ts' }, 'read'],
    ['str_replace_editor', { command: 'create', path: 'AGENTS.md', file_text: 'x' }, 'self_governance'],
    ['Read', { file_path: '/home/ada/.ssh/id_ed25519' }, 'read_credential'],
    ['Read', { file_path: 'src/a.ts' }, 'read'],
    ['Grep', { pattern: 'rm -rf', path: 'src' }, 'read'],
    ['Glob', { pattern: '**/*.ts' }, 'read'],
    ['LS', {}, 'read'],
    ['WebFetch', { url: 'https://example.org', prompt: 'x' }, 'fetch'],
    ['WebFetch', { url: 'http://169.254.169.254/latest' }, 'read_credential'],
    ['WebSearch', { query: 'x' }, 'fetch'],
    ['Task', { prompt: 'x' }, 'delegate'],
    ['spawn_agent', { message: 'x' }, 'delegate'],
    ['update_plan', { plan: [] }, 'none'],
    ['TodoWrite', { todos: [] }, 'none'],
    ['view_image', { path: 'a.png' }, 'read'],
    ['delete_file', { path: 'a.txt' }, 'delete'],
    ['move_file', { source: 'a', destination: 'b' }, 'overwrite'],
    ['write_stdin', { session_id: 1, chars: '' }, 'none'],
    ['write_stdin', { session_id: 1, chars: 'rm -rf /\n' }, 'disk_destroy'],
    ['run_code', { code: 'print(1)', language: 'python' }, 'none'],
    ['mcp__shell__run_command', { command: 'rm -rf /' }, 'disk_destroy'],
    ['mcp__filesystem__write_file', { path: 'a', content: 'x' }, 'write'],
    ['apply_patch', { input: '*** Begin Patch\n*** Delete File: a.txt\n*** End Patch' }, 'delete'],
  ])('%s %o is %s', (name, given, effect) => expect(gravest(tool(name, given)).effect).toBe(effect));
});

describe('tools nobody has listed, by verb and noun', () => {
  test.each([
    ['github', 'list_issues', {}, 'read'],
    ['github', 'create_issue', { title: 'x' }, 'message'],
    ['github', 'create_or_update_file', { branch: 'main' }, 'vcs_push'],
    ['github', 'merge_pull_request', { pull_number: 3 }, 'vcs_push'],
    ['slack', 'post_message', { channel: 'x' }, 'message'],
    ['mail', 'sendEmail', { to: 'x' }, 'message'],
    ['stripe', 'create_refund', {}, 'payment'],
    ['shop', 'checkout', {}, 'payment'],
    ['npm', 'publish_package', {}, 'publish'],
    ['drive', 'share_file', {}, 'share'],
    ['iam', 'create_access_key', {}, 'identity_change'],
    ['vault', 'get_secret', {}, 'secret_fetch'],
    ['cloud', 'delete_instance', {}, 'infra_destroy'],
    ['cloud', 'restart_server', {}, 'infra_change'],
    ['db', 'drop_table', {}, 'database_destroy'],
    ['db', 'execute_sql', { sql: 'delete from t' }, 'database_destroy'],
    ['db', 'query', { sql: 'select 1' }, 'read'],
    ['x', 'helper', {}, 'unknown'],
    ['x', 'do_the_thing', {}, 'unknown'],
    ['x', 'execute', {}, 'unknown'],
    ['playwright', 'browser_snapshot', {}, 'read'],
    ['playwright', 'browser_navigate', { url: 'https://example.org' }, 'fetch'],
    ['playwright', 'browser_evaluate', { function: 'x()' }, 'run_opaque'],
  ])('%s.%s %o is %s', (server, name, given, effect) => expect(mcp(server, name, given).effect).toBe(effect));

  test('protected and unknown branches are told, dry runs too', () => {
    expect(mcp('github', 'push_files', { branch: 'main' }).flags).toContain('protected_branch');
    expect(mcp('github', 'push_files', {}).flags).toContain('branch_unknown');
    expect(mcp('cloud', 'delete_instance', { dry_run: true }).effect).toBe('read');
  });
});

describe('other surfaces', () => {
  test('patches: one part for each file', () => {
    const patch =
      '*** Begin Patch\n*** Update File: src/a.ts\n@@\n-a\n+b\n*** Add File: src/b.ts\n+x\n*** Delete File: .claude/settings.json\n*** End Patch';
    const { parts } = admit('patch', { patch, cwd: '' }).action;
    expect(parts.map((part) => [part.effect, part.targets[0]])).toEqual([
      ['write', 'file:/home/ada/work/src/a.ts'],
      ['write', 'file:/home/ada/work/src/b.ts'],
      ['self_governance', 'file:/home/ada/work/.claude/settings.json'],
    ]);
    const diff = '--- a/x.txt\n+++ b/x.txt\n@@ -1 +1 @@\n-a\n+b\n--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n';
    expect(admit('patch', { patch: diff, cwd: '' }).action.parts.map((part) => part.effect)).toEqual([
      'write',
      'delete',
    ]);
  });

  test.each([
    ['GET', 'https://example.org/a', 'fetch'],
    ['POST', 'https://example.org/a', 'send'],
    ['POST', 'https://api.stripe.com/v1/charges', 'payment'],
    ['POST', 'https://hooks.slack.com/services/x', 'message'],
    ['GET', 'http://169.254.169.254/', 'read_credential'],
    ['GET', 'http://2852039166/', 'read_credential'],
    ['GET', 'http://0xA9.0xFE.0xA9.0xFE/', 'read_credential'],
  ])('%s %s is %s', (method, url, effect) =>
    expect(gravest(admit('http', { method, url, headers: {}, body: '' })).effect).toBe(effect),
  );

  test('an address never carries user, password or query', () => {
    const { targets } = gravest(
      admit('http', { method: 'GET', url: 'https://u:p@h.example.org/a?token=t#f', headers: {}, body: '' }),
    );
    expect(targets).toEqual(['url:https://h.example.org/a']);
  });

  test.each([
    ['get', { kind: 'Pod' }, 'read'],
    ['create', { kind: 'Deployment', metadata: { name: 'a' } }, 'infra_change'],
    ['delete', { kind: 'Namespace', metadata: { name: 'a' } }, 'infra_destroy'],
    ['create', { kind: 'ClusterRoleBinding' }, 'identity_change'],
    ['get', { kind: 'Secret' }, 'secret_fetch'],
    ['delete', { kind: 'NetworkPolicy' }, 'security_disable'],
    ['delete', { kind: 'Pod', dryRun: ['All'] }, 'read'],
  ])('kubernetes %s %o is %s', (verb, object, effect) =>
    expect(gravest(admit('kubernetes', { verb, objectJson: JSON.stringify(object) })).effect).toBe(effect),
  );

  test.each([
    ['snapshot', '', {}, 'read'],
    ['navigate', 'https://example.org', {}, 'fetch'],
    ['click', '', { element: 'Sign in' }, 'send'],
    ['click', '', { element: 'Place order' }, 'payment'],
    ['evaluate', '', {}, 'run_opaque'],
  ])('browser %s %s %o is %s', (action, url, given, effect) =>
    expect(gravest(admit('browser', { action, url, argumentsJson: JSON.stringify(given) })).effect).toBe(effect),
  );

  test('prompts and outputs are what they are', () => {
    expect(gravest(admit('prompt', { text: 'x' })).effect).toBe('prompt');
    expect(gravest(admit('output', { text: 'x', tool: 'Bash' })).effect).toBe('output');
  });
});
