// Saving a receipt and its proof: each whole under its own name, or what was there before.

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const ID = '0123456789ab-3';
let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => {
  stub.reset();
  stub.answers[`GET /api/receipts/${ID}`] = { body: 'the receipt' };
  stub.answers[`GET /api/receipts/${ID}/proof`] = { body: 'the proof', type: 'text/plain' };
});

const save = (...argv: string[]) => stub.beacon(['receipts', ID, '--json', ...argv]);
const read = (name: string) => readFile(join(stub.folder, name), 'utf8');

test('a receipt and its proof under one name would be the proof alone', async () => {
  expect(await save('--out', 'one', '--proof', './one')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('one file'),
  });
  expect(stub.seen).toEqual([]);
});

test('what was there is replaced whole, not written over, and nothing else is left', async () => {
  await mkdir(join(stub.folder, 'kept'));
  await writeFile(join(stub.folder, 'kept', 'older'), 'an older receipt, and longer');
  await symlink('older', join(stub.folder, 'kept', 'receipt'));
  expect((await save('--out', 'kept/receipt', '--proof', 'kept/proof')).exit).toBe(0);
  expect(await read('kept/receipt')).toBe('the receipt');
  expect(await read('kept/proof')).toBe('the proof');
  expect(await read('kept/older')).toBe('an older receipt, and longer');
  expect(await readdir(join(stub.folder, 'kept'))).toEqual(['older', 'proof', 'receipt']);
});

test('what is no file is written to: a pipe, a terminal', async () => {
  expect((await save('--out', '/dev/null')).exit).toBe(0);
  expect((await save('--out', 'not/there')).exit).toBe(2);
});
