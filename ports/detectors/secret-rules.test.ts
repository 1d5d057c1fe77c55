// The pinned rule set: what was taken, that it is still what the source gives, and what is no secret.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import ruleSet from './gitleaks/rules.json' with { type: 'json' };
import { GENERIC_RULE, isPublicName, SECRET_RULES } from './secret-rules.ts';
import { secretsDetector } from './secrets.ts';

const { detect } = secretsDetector();
const ROOT = join(import.meta.dirname, '..', '..');

test('says where it is from, under which licence, and what was left out and why', () => {
  expect(ruleSet.source).toMatchObject({ module: 'github.com/zricethezav/gitleaks/v8', file: 'config/gitleaks.toml' });
  expect(ruleSet.source.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(ruleSet.licence).toMatch(/^MIT License[\s\S]+THE SOFTWARE IS PROVIDED "AS IS"/);
  for (const reason of Object.values(ruleSet.left_out)) expect(reason.length).toBeGreaterThan(10);
  expect(ruleSet.rules.length).toBeGreaterThan(200);
});

test('every rule has a keyword, and no pattern repeats without end', () => {
  for (const { id, keywords, pattern } of ruleSet.rules) {
    expect(keywords.length, id).toBeGreaterThan(0);
    // Sets may hold these signs as themselves.
    expect(pattern.replace(/\\.|\[(?:\\.|[^\]])*\]/g, ''), id).not.toMatch(/[*+]|\{\d+,\}/);
  }
  expect(SECRET_RULES.some(({ kind }) => kind === GENERIC_RULE)).toBe(true);
});

test('is what the pinned source gives', { timeout: 150_000 }, (context) => {
  let version = '';
  try {
    version = execFileSync('go', ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    context.skip('Go is not there: the rule file comes through its module proxy');
  }
  expect(version).toContain('go version');
  const made = execFileSync(process.execPath, ['bin/secret-rules.ts', '--print'], { cwd: ROOT, encoding: 'utf8' });
  expect(made).toBe(readFileSync(join(import.meta.dirname, 'gitleaks', 'rules.json'), 'utf8'));
});

const HEX = '9f8e7d6c5b4a39281706f5e4d3c2b1a0';
const MIXED = 'Zk3x91QpA20vLm4Rt8YwN5bC7dE6fG1h';

test.each([
  [`algolia_key: "${HEX}"`, HEX],
  [`DD_API_KEY=${HEX}`, HEX],
  [`my password is Hunter2!x.`, 'Hunter2!x'],
  [`das Passwort lautet Sommer2024!`, 'Sommer2024'],
  [`the access key of the machine: ${MIXED}`, MIXED],
])('finds the secret of %s', (text, secret) => {
  const found = detect(text).filter((item) => item.confidence !== 'low');
  expect(found.map((item) => text.slice(item.start, item.end))).toEqual([secret]);
});

test('what stands near a word for a secret and was drawn by lot is told, with little weight', () => {
  const text = `secret of the week follows (${MIXED}) as agreed`;
  expect(detect(text)).toMatchObject([{ kind: 'high_entropy', confidence: 'low' }]);
  expect(detect(`nothing of the week follows (${MIXED}) as agreed`)).toEqual([]);
});

test.each([
  'AKIAIOSFODNN7EXAMPLE',
  'API_KEY=your-api-key-here DATABASE_URL=postgres://user:password@localhost:5432/app',
  `commit 4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e`,
  'key: f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  '"integrity": "sha512-8Rr4k3wAxGkqJ0C5Y9P0bqE2m8u0n3XbUq+Zy1Vw6R5bq2m8u0n3XbUq+Zy1Vw6R5b8Rr4k3wAxGkqJ0C5Y9P0bqA=="',
  'key <img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk">',
  'golang.org/x/token v0.1.0 h1:PmEvCfVI7ti9dV3s5aMZUY7sS2GxRvG3yzih7E=',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8x7bvbqajDhA2v9k1m3n4p5q6r7s8t9u0v my key',
  'secretName: my-tls-secret-v2',
  'PublicKeyToken=b77a5c561934e089',
  'authorName: "Jane Doe 1985"',
  'cache-key: v1-linux-4f3e2d1c0b9a',
  'const apiKey = config.get("apiKey")',
  'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")',
  'adobe_id = "11111111111111111111111111111111"',
  `START = "-----BEGIN OPENSSH PRIVATE ${'KEY'}-----"; END = "-----END OPENSSH PRIVATE ${'KEY'}-----"`,
  'self.password = options["password"]',
  'credentials = call_credentials_1.CallCredentials.createEmpty()',
  'passing: passing0, passthrough: enabled2',
  'the token budget is 128000 tokens',
  `password: $${'{'}DB_PASSWORD}`,
])('is not alarmed by %s', (text) => {
  expect(detect(text)).toEqual([]);
});

test('names that end like one of a secret', () => {
  expect(isPublicName('secretName', 0, 10)).toBe(true);
  expect(isPublicName('my_secret', 3, 9)).toBe(false);
});
