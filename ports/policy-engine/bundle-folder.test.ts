// Reading a bundle: what does not belong together is refused before it reaches an engine.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { policyDigest } from '../../core/policy-digest.ts';
import { loadBundle } from './bundle-folder.ts';

const committed = join(import.meta.dirname, '..', '..', 'policies', 'bundle');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-bundle-'));
  cpSync(committed, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

test('reads the committed bundle', async () => {
  const bundle = await loadBundle(folder);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  expect(policyDigest(bundle.wasm, bundle.data)).toBe(manifest.digest);
  expect(bundle.revision).toBe(manifest.revision);
  expect(bundle.canaries.length).toBeGreaterThan(0);
});

test.each(['policy.wasm', 'data.json', 'manifest.json', 'canaries.json'])('refuses without %s', async (name) => {
  rmSync(join(folder, name));
  await expect(loadBundle(folder)).rejects.toMatchObject({ code: 'failed_precondition' });
});

test.each(['policy.wasm', 'data.json'])('refuses when one bit of %s differs', async (name) => {
  const bytes = readFileSync(join(folder, name));
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9);
  writeFileSync(join(folder, name), bytes);
  await expect(loadBundle(folder)).rejects.toMatchObject({ code: 'failed_precondition' });
});

test.each([
  ['manifest.json', '{}'],
  ['manifest.json', 'null'],
  ['manifest.json', '{'],
  ['canaries.json', '[]'],
  ['canaries.json', '{}'],
])('refuses %s with %s', async (name, text) => {
  writeFileSync(join(folder, name), text);
  await expect(loadBundle(folder)).rejects.toMatchObject({ code: 'failed_precondition' });
});
