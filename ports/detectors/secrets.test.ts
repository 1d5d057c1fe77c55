import { describe, expect, test } from 'vitest';
import { detectorContract } from './contract.ts';
import { secretsDetector } from './secrets.ts';

/** Made up for the tests, and put together at run time so that no scanner takes this file for a leak. */
const made = (prefix: string, length: number, alphabet = 'Qx7bR2mK9vT4zN8cW3pL6yJ5hD1gF0sA') =>
  prefix + Array.from({ length }, (_, index) => alphabet[(index * 7 + prefix.length) % alphabet.length]).join('');

const SECRETS: readonly (readonly [string, string])[] = [
  ['aws_access_key', made('AKIA', 16, 'QXZ7BR2MK3VT4NWPLYJ5HDGFSA')],
  ['github_token', made('ghp_', 36)],
  ['github_token', made('github_pat_', 60)],
  ['gitlab_token', made('glpat-', 20)],
  ['slack_token', made('xoxb-', 40)],
  ['stripe_key', made('sk_live_', 24)],
  ['anthropic_key', made('sk-ant-', 60)],
  ['openai_key', made('sk-proj-', 48)],
  ['google_api_key', made('AIza', 35)],
  ['npm_token', made('npm_', 36)],
  ['jwt', `${made('eyJ', 30)}.${made('eyJ', 40)}.${made('', 43)}`],
  ['private_key', `-----BEGIN OPENSSH PRIVATE ${'KEY'}-----\n${made('', 64)}\n-----END OPENSSH PRIVATE ${'KEY'}-----`],
];

detectorContract(
  'secrets',
  secretsDetector,
  SECRETS.map(([, secret]) => secret),
);

describe('secrets', () => {
  const { detect } = secretsDetector();

  test.each(SECRETS)('finds %s wherever it stands', (kind, secret) => {
    for (const text of [secret, `x ${secret} y`, `curl -H "X: ${secret}" u`, `{"a":"${secret}"}`]) {
      const found = detect(text);
      expect(
        found.map((item) => item.kind),
        text,
      ).toContain(kind);
      const hit = found.find((item) => item.kind === kind);
      expect(text.slice(hit?.start, hit?.end)).toContain(secret.slice(0, 20));
    }
  });

  test.each([
    ['password=hunter2horse', 'hunter2horse'],
    ['export API_KEY=9f8e7d6c5b4a39281706', '9f8e7d6c5b4a39281706'],
    ['{"client_secret": "Zk3-91xQp_20vLm4"}', 'Zk3-91xQp_20vLm4'],
    ['Authorization: Bearer 8f3kd02jd73hs82jd9s', '8f3kd02jd73hs82jd9s'],
    ['postgres://app:s3cr3tPw@db.internal/x', 's3cr3tPw'],
    ['mysql://root:Tr0ub4dor@h', 'Tr0ub4dor'],
    ['the password for the mail server is gr4nite-moss, use it', 'gr4nite-moss'],
    ['Das Passwort für das WLAN lautet Zug7spitze!', 'Zug7spitze'],
  ])('%s', (text, secret) => {
    const found = detect(text);
    expect(found.map((item) => text.slice(item.start, item.end))).toContain(secret);
    expect(found.some((item) => item.confidence !== 'low')).toBe(true);
  });

  test.each([
    'password=$PASSWORD',
    'The password for the mail server is required before you start.',
    'A token for each of the calls is created on demand.',
    `token: $${'{{'} secrets.GITHUB_TOKEN }}`,
    'api_key = process.env.API_KEY',
    'const token = getToken()',
    'password: string',
    'the secret of good software is tests',
    'git commit -m "fix token refresh"',
    'https://user@host/path',
    'a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0',
    'npm run auth:login',
    'sk-learn-is-a-library',
    'grep -rn "password" src',
  ])('is not alarmed by %s', (text) => {
    expect(detect(text).filter((item) => item.confidence !== 'low')).toEqual([]);
  });
});
