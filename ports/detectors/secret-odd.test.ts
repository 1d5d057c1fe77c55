// Secrets of an odd shape, and what only looks like one. Put together at run time, so that no scanner takes this file for a leak.

import { describe, expect, test } from 'vitest';
import { secretsDetector } from './secrets.ts';

const { detect } = secretsDetector();
const lot = (length: number) => 'Qx7bR2mK9vT4zN8cW3pL6yJ5hD1gF0sA'.repeat(4).slice(0, length);
const sure = (text: string) =>
  detect(text)
    .filter(({ confidence }) => confidence !== 'low')
    .map(({ kind, start, end }) => [kind, text.slice(start, end)]);

describe('private keys without their frame', () => {
  const body = `MIIEow${'IBAAKCAQEA'}${lot(64)}\n${lot(64)}\n${lot(40)}`;
  test.each([
    ['no dashes', `BEGIN RSA PRIVATE ${'KEY'}\n${lot(64)}\n${lot(64)}`],
    ['dashes cut', `-----BEGIN RSA PRIVATE ${'KEY'}\n${lot(64)}`],
    ['the end alone', `${lot(64)}\n${lot(64)}\n-----END RSA PRIVATE ${'KEY'}-----`],
    ['the body alone', body],
    ['the body in a string', body.replaceAll('\n', '\\n')],
    ['an OpenSSH body', `${'b3BlbnNzaC1r'}ZXktdjEAAAAABG5vbmU${lot(64)}\n${lot(64)}`],
  ])('%s', (_, text) => {
    expect(sure(text).map(([kind]) => kind)).toContain('private_key');
  });

  test.each([
    `The file begins with BEGIN RSA PRIVATE ${'KEY'} and ends with END RSA PRIVATE ${'KEY'}.`,
    `const HEAD = 'b3BlbnNzaC1r' + 'ZXktdjE'; // ${'b3BlbnNzaC1r'}ZXktdjE`,
    `-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE${lot(64)}\n${lot(64)}\n-----END CERTIFICATE-----`,
    `-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA${lot(64)}\n-----END PUBLIC KEY-----`,
  ])('none in %s', (text) => {
    expect(sure(text)).toEqual([]);
  });
});

describe('tokens broken over lines', () => {
  test.each([
    ['github_token', `ghp_${lot(18)}\n${lot(18)}`],
    ['github_token', `ghp_\\\n  ${lot(36)}`],
    ['github_token', `"ghp_${lot(18)}" +\n  "${lot(18)}"`],
    ['aws_access_key', `AKIAQXZ7BR2\nMK3VT4NWP`],
    ['anthropic_key', `sk-ant-${lot(12)}\n${lot(40)}`],
    ['jwt', `eyJ${lot(20)}.\neyJ${lot(30)}.\n${lot(30)}`],
  ])('%s', (kind, text) => {
    const found = sure(text).find(([name]) => name === kind);
    expect(found?.[1]).toContain(text.slice(-8));
  });

  test.each([
    'Tokens begin with ghp_\nand tokens of an app begin with ghs_\nor with another prefix altogether, as documented',
    `ghp_\n\n${lot(36)} is another paragraph`,
    'AKIA\nEXAMPLEEXAMPLE12',
    'const prefix = "ghp_"\nconst repositoryNameOfTheProject12 = 1',
  ])('none in %s', (text) => {
    expect(sure(text)).toEqual([]);
  });
});

describe('passwords and keys by where they stand', () => {
  test.each([
    ['password is: hunter2!', 'hunter2'],
    ['pw: Tr0ub4dor&3', 'Tr0ub4dor&3'],
    ['my pw is Tr0ub4dor&3', 'Tr0ub4dor&3'],
    ['user admin password Tr0ub4dor&3', 'Tr0ub4dor&3'],
    ['machine api.example login ada password Tr0ub4dor3x', 'Tr0ub4dor3x'],
    ['tool --password Tr0ub4dor&3', 'Tr0ub4dor&3'],
    ['<password>Tr0ub4dor&3</password>', 'Tr0ub4dor&3'],
    ['db_pass -> Tr0ub4dor3x', 'Tr0ub4dor3x'],
    ['jdbc:oracle:thin:scott/t1ger9x@db.internal:1521/orcl', 't1ger9x'],
    ['Server=db;User Id=sa;Password=Tr0ub4dor3;', 'Tr0ub4dor3'],
    [`my key is ${lot(32)} please`, lot(32)],
    [`SESSION=${lot(32)}`, lot(32)],
    [`cookie: ${lot(40)}`, lot(40)],
    [`license_key = "${lot(32)}"`, lot(32)],
  ])('%s', (text, secret) => {
    expect(sure(text).map(([, value]) => value)).toContain(secret);
  });

  test.each([
    'pw: string',
    'the pw is required',
    'user and password authentication',
    'login with user name and password SHA256 hashed',
    'tool --password "$PASSWORD"',
    'tool --password <password>',
    '--password-stdin',
    '<password>changeme</password>',
    'token->next',
    'if (password->length > 8)',
    `the public key is ${lot(32)}`,
    `the cache key is ${lot(32)}`,
    'the primary key is users_pkey_2024',
    'jdbc:oracle:thin:@db.internal:1521/orcl',
    'session = createSession()',
    'cookie: sessionid',
    'session_id: 123e4567-e89b-12d3-a456-426614174000',
    'session = 9c1185a5c5e9fc54612808977ee8f548b2258d31',
    `"integrity": "sha512-${lot(86)}=="`,
    `<img src="data:image/png;base64,iVBORw0KGgo${lot(80)}">`,
    `webhook: https://ci.example/hooks/build`,
  ])('none in %s', (text) => {
    expect(sure(text)).toEqual([]);
  });
});
