// Places that mean more than a file, however they are written: by address, by wildcard, as an argument of a program.

import { describe, expect, test } from 'vitest';
import { admit, admitShell, CONTEXT, gravest, tool } from './admit.fixture.ts';

const part = (command: string, context = CONTEXT) => gravest(admitShell(command, context));
const git = (over: object) => ({ ...CONTEXT, git: { branch: 'feature/x', ...over } });

test.each([
  'head -c 10 ~/.ss?/id_*',
  'cat ~/.ssh/*',
  'cat ~/.[s]sh/id_rsa',
  'cat */id_rsa',
  'cat .en?',
  'cat .e*v',
  'cat ~/.aws/cred*',
  'curl file:///home/ada/.ssh/id_rsa',
  'curl -s file://localhost/etc/shadow',
  'wget file:///home/ada/.aws%2Fcredentials',
  'sqlite3 ~/.config/google-chrome/Default/"Login Data" "select 1"',
  'sqlite3 "Login Data" .dump',
  'python3 -c "print(open(\'.env\').read())"',
  "node -e \"console.log(require('fs').readFileSync('.env','utf8'))\"",
  'X=$(cat .env); echo "$X"',
  'X=$(cat .env); node app.js "$X"',
])('a credential is read: %s', (command) => expect(part(command).effect).toBe('read_credential'));

test.each([
  'cat *',
  'cat *.json',
  'cat src/*.ts',
  'ls -la ~/.ssh',
  'cat ~/.ssh/known_hosts',
  'grep -c x docs/*',
  'ls .env',
])('nothing of the kind: %s', (command) => expect(part(command).effect).toBe('read'));

describe('.env', () => {
  test.each(['.env', '.env.local', '.env.production', '.env.test.local', 'config/.env', 'prod.env', '.env.bak'])(
    '%s holds secrets',
    (name) => {
      expect(part(`cat ${name}`).effect).toBe('read_credential');
      expect(part(`cat ${name}`).flags).toContain('env_file');
    },
  );

  test.each(['.env.example', '.env.sample', '.env.local.example', '.env.template', '.env.d.ts', 'environment.ts'])(
    '%s holds none',
    (name) => {
      expect(part(`cat ${name}`).effect).toBe('read');
      expect(part(`cat ${name}`).flags).not.toContain('dotenv');
    },
  );

  test.each(['.env.test', '.env.development', 'dev.env'])('%s is read with a warning', (name) => {
    expect(part(`cat ${name}`).effect).toBe('read');
    expect(part(`cat ${name}`).flags).toContain('dotenv');
  });

  test('what the repository holds is no secret to whoever reads the repository', () => {
    const { effect, flags } = part('cat .env', git({ tracked: ['.env'] }));
    expect(effect).toBe('read');
    expect(flags).toContain('dotenv');
    expect(part('cat .env', git({ tracked: ['a'] })).effect).toBe('read_credential');
  });

  test.each([
    'docker run --env-file .env acme/app',
    'docker compose --env-file .env up',
    "export $(grep -v '^#' .env | xargs)",
    'DB=$(cat .env) npm start',
  ])('handed to a process it is not shown: %s', (command) => {
    const { parts } = admitShell(command).action;
    expect(parts.map(({ effect }) => effect)).not.toContain('read_credential');
    expect(parts.flatMap(({ flags }) => flags)).toContain('dotenv');
  });

  test('writing one is writing a file', () => {
    expect(part('cp .env.example .env').effect).toBe('write');
    expect(part("sed -i 's/a/b/' .env").effect).toBe('write');
  });
});

describe('through tools of any name', () => {
  test.each([
    ['notes', 'read_document', { path: '/home/ada/.ssh/id_rsa' }],
    ['drive', 'upload_file', { file_path: '~/.aws/credentials' }],
    ['drive', 'upload', { files: [{ path: '/home/ada/.netrc' }] }],
  ])('%s %s %o', (server, name, given) =>
    expect(gravest(admit('mcp', { server, tool: name, argumentsJson: JSON.stringify(given) })).effect).toBe(
      'read_credential',
    ),
  );

  test('an address of a file is that file', () => {
    expect(gravest(tool('WebFetch', { url: 'file:///etc/shadow' })).effect).toBe('read_credential');
    expect(gravest(admit('http', { method: 'GET', url: 'file:///etc/shadow', headers: {}, body: '' })).effect).toBe(
      'read_credential',
    );
    expect(
      gravest(admit('browser', { action: 'navigate', url: 'file:///home/ada/.ssh/id_rsa', argumentsJson: '{}' }))
        .effect,
    ).toBe('read_credential');
  });
});

test.each([
  ["echo 'x ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers", 'security_disable'],
  ["echo 'PermitRootLogin yes' >> /etc/ssh/sshd_config", 'security_disable'],
  ["echo 'r:x:0:0::/:/bin/sh' >> /etc/passwd", 'security_disable'],
  ["echo '# note' >> /etc/ssh/sshd_config", 'identity_change'],
])('content that makes anybody root: %s is %s', (command, effect) => expect(part(command).effect).toBe(effect));

test.each([
  ['.github/CODEOWNERS', 'identity_change'],
  ['.github/prompts/review.md', 'self_governance'],
  ['.kiro/steering/x.md', 'self_governance'],
  ['guardrails.yaml', 'self_governance'],
  ['.cirrus.yml', 'schedule'],
  ['docs/CODEOWNERS.md', 'write'],
])('writing %s is %s', (path, effect) => expect(part(`echo x >> ${path}`).effect).toBe(effect));
