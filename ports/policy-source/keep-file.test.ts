import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FilePolicyKeep } from './keep-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'beacon-keep-'));
const path = join(folder, 'policy', 'active.json');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bundle = (version: number) => ({
  version,
  id: 'a'.repeat(64),
  envelope: new Uint8Array([1, 2, 3]),
  files: new Map([['policy.wasm', new Uint8Array([0, 255, version])]]),
});

test('gives back what was saved last, byte for byte, and nothing before', async () => {
  expect(await new FilePolicyKeep(path).load()).toBeUndefined();
  for (const version of [1, 2]) await new FilePolicyKeep(path).save(bundle(version));
  const kept = await new FilePolicyKeep(path).load();
  expect(kept).toMatchObject({ version: 2, id: 'a'.repeat(64) });
  expect([...(kept?.envelope ?? [])]).toEqual([1, 2, 3]);
  expect([...(kept?.files.get('policy.wasm') ?? [])]).toEqual([0, 255, 2]);
  expect(statSync(path).mode & 0o077).toBe(0);
});

test('what it did not write is no empty memory', async () => {
  for (const text of ['', '{}', 'null', '{"version":1}', '{"version":"1","id":"x","envelope":"","files":{}}']) {
    writeFileSync(path, text);
    await expect(new FilePolicyKeep(path).load(), text).rejects.toMatchObject({ code: 'failed_precondition' });
  }
});
