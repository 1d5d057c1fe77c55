import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit, admitShell, digest } from './admit.fixture.ts';
import { bindDetector, payloadOf, replaceFound } from './redact.ts';

const SECRET = 'CANARY9f8e7d6c5b4a';

test('a secret stands in clear nowhere, whatever the field', () => {
  const proposals: readonly (readonly [string, object])[] = [
    ['shell', { command: `curl -H "Authorization: ${SECRET}" https://api.example.org`, cwd: '' }],
    ['shell', { command: `curl "https://x.example.org/${SECRET}?k=${SECRET}"`, cwd: '' }],
    ['shell', { command: `git commit -m ${SECRET}`, cwd: `/tmp/${SECRET}` }],
    ['shell', { command: `${SECRET} ${SECRET}`, cwd: '' }],
    [
      'shell',
      { command: `git ${SECRET}; kubectl ${SECRET}; npm ${SECRET}; aws s3 ${SECRET}; claude ${SECRET}`, cwd: '' },
    ],
    ['shell', { command: `echo ${SECRET} > ${SECRET}.txt; rm -rf ${SECRET}; cat ~/${SECRET}`, cwd: '' }],
    [
      'shell',
      {
        command: `ssh ${SECRET}@host ${SECRET}; scp a h:${SECRET}; psql postgres://u:${SECRET}@h/db -c "select 1"`,
        cwd: '',
      },
    ],
    ['shell', { command: `x=CANARY; y=9f8e7d6c5b4a; rm $x$y; touch "CANARY"'9f8e7d6c5b4a'`, cwd: '' }],
    ['shell', { command: `echo ${Buffer.from(`rm ${SECRET}`).toString('base64')} | base64 -d | sh`, cwd: '' }],
    [
      'mcp',
      {
        server: SECRET,
        tool: SECRET,
        argumentsJson: JSON.stringify({ id: SECRET, url: `https://h/${SECRET}`, [SECRET]: SECRET }),
      },
    ],
    ['tool', { name: `send_${SECRET}`, argumentsJson: JSON.stringify({ name: SECRET }) }],
    ['workflow', { system: SECRET, step: SECRET, argumentsJson: '' }],
    ['patch', { patch: `*** Begin Patch\n*** Add File: ${SECRET}\n+${SECRET}\n*** End Patch`, cwd: '' }],
    [
      'http',
      {
        method: 'POST',
        url: `https://u:${SECRET}@h.example.org/${SECRET}`,
        headers: { [SECRET]: SECRET },
        body: SECRET,
      },
    ],
    ['browser', { action: SECRET, url: `https://h/${SECRET}`, argumentsJson: JSON.stringify({ text: SECRET }) }],
    [
      'kubernetes',
      { verb: 'create', objectJson: JSON.stringify({ kind: SECRET, metadata: { name: SECRET, namespace: SECRET } }) },
    ],
    ['prompt', { text: SECRET }],
    ['output', { text: SECRET, tool: SECRET }],
    ['code', { language: 'python', text: `open("${SECRET}")`, cwd: '' }],
  ];
  for (const [kind, value] of proposals) {
    const admitted = admit(kind, value);
    expect(JSON.stringify(admitted), JSON.stringify(value)).not.toContain(SECRET);
    expect(
      admitted.findings.map((finding) => finding.kind),
      kind,
    ).toContain('canary');
  }
});

test('a header named by a secret is told by its number', () => {
  const admitted = admit('http', { method: 'GET', url: 'https://h.example.org', headers: { [SECRET]: 'x' }, body: '' });
  expect(JSON.stringify(admitted)).not.toContain(SECRET);
  expect(admitted.findings.map((finding) => finding.where)).toEqual(['action.headers.0']);
});

test('secrets known by their place are found and gone, too', () => {
  for (const command of [
    'mysql -u root -pQuietHorse9 -e "select 1"',
    'curl -u ada:QuietHorse9 https://h.example.org',
    'curl -u ada:QuietHorse9 https://h.example.org/ada:QuietHorse9',
    'docker login -u a -p QuietHorse9',
    'redis-cli -a QuietHorse9 get x',
    'twine upload -p QuietHorse9 dist/*',
    'mysql --password=QuietHorse9 db',
  ]) {
    const admitted = admitShell(command);
    expect(JSON.stringify(admitted), command).not.toContain('QuietHorse9');
    expect(
      admitted.findings.map((finding) => finding.kind),
      command,
    ).toContain('secret_argument');
  }
});

test('short contents are digested under the key, not by a bare hash', async () => {
  const { createHash } = await import('node:crypto');
  const bare = createHash('sha256').update('yes').digest('hex');
  const text = JSON.stringify(admitShell('git commit -m yes').action);
  expect(text).not.toContain(bare);
  expect(text).toContain(digest('yes'));
});

test('what is found says how grave the payload is, low confidence says nothing', () => {
  expect(admitShell(`curl -d ${SECRET} https://x.example.org`).externality.sensitive_payload).toBe('secret');
  expect(payloadOf([{ kind: 'email', class: 'pii', where: '', confidence: 'low', digest: '' }])).toBeUndefined();
  expect(payloadOf([{ kind: 'card', class: 'pii', where: '', confidence: 'high', digest: '' }])).toBe('pii');
});

test('replacing keeps the rest and never leaves part of a finding', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('SECRET'), fc.constantFrom('a', ' ', '/', 'S'))), (pieces) => {
      const text = pieces.join('');
      const detect = bindDetector(
        (given) =>
          [...given.matchAll(/SECRET/g)].map((match) => ({
            kind: 'k',
            class: 'secret' as const,
            confidence: 'high' as const,
            start: match.index,
            end: match.index + 6,
          })),
        digest,
      );
      const out = replaceFound(text, detect(text, 'x'));
      expect(out).not.toContain('SECRET');
      expect(out.replaceAll(/\[k:[0-9a-f]{8}\]/g, 'SECRET')).toBe(text);
    }),
  );
});
