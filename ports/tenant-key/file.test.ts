import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openTenantKeys } from './file.ts';
import { HmacTenantKeys } from './hmac.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenant-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the same key after reopening, closed to others, nothing left beside it', () => {
  const path = join(folder, 'a.key');
  const first = openTenantKeys(path).digest('t', 'text');
  expect(openTenantKeys(path).digest('t', 'text')).toBe(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['a.key']);
});

test('a key others can read, and a file that is no key, are refused', () => {
  const path = join(folder, 'b.key');
  openTenantKeys(path);
  chmodSync(path, 0o640);
  expect(() => openTenantKeys(path)).toThrow(/readable/);
  const short = join(folder, 'c.key');
  writeFileSync(short, 'short', { mode: 0o600 });
  expect(() => openTenantKeys(short)).toThrow(/not a tenant key/);
});

test('one text has one digest in a tenant and another in the next', () => {
  const keys = new HmacTenantKeys(new Uint8Array(32).fill(7));
  expect(keys.digest('a', 'text')).toBe(keys.digest('a', 'text'));
  expect(keys.digest('a', 'text')).not.toBe(keys.digest('b', 'text'));
});

test('a digest is HMAC-SHA-256 under the tenant’s derived key, for texts of every length', () => {
  const master = new Uint8Array(32).map((_, at) => at * 5);
  const keys = new HmacTenantKeys(master);
  const derived = createHmac('sha256', master).update('beacon tenant key v1\nt').digest();
  for (const text of ['', 'é', '\ud83d\ude80', ...[1, 55, 56, 63, 64, 65, 4_096].map((length) => 'x'.repeat(length))]) {
    expect(keys.digest('t', text)).toBe(createHmac('sha256', derived).update(text, 'utf8').digest('hex'));
  }
});
