// Minting for a client file: a name that was minted is closed to all who have not its token, so none is minted that cannot be kept.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const MINT = 'POST /api/agents/a/tokens';
let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => {
  stub.reset();
  stub.answers[MINT] = { body: { token: 'bcn_secret', token_id: 'abc', agent_id: 'a', tenant_id: 't' } };
});

const mint = (path: string) => stub.beacon(['token', 'a', '--tenant', 't', '--client-file', path]);
const asked = () => stub.seen.map(({ method, url }) => `${method} ${url}`);
const leftIn = async (folder: string) => (await readdir(join(stub.folder, folder))).filter((name) => name !== 'here');

test('a file that cannot be written there: nothing is minted', async () => {
  await mkdir(join(stub.folder, 'taken', 'here'), { recursive: true });
  expect(await mint('taken/here')).toMatchObject({ exit: 2, err: expect.stringContaining('is a folder') });
  // A name longer than any file system takes, for want of a folder that root could not write.
  expect(await mint(`taken/${'x'.repeat(300)}`)).toMatchObject({
    exit: 2,
    err: expect.stringContaining('ENAMETOOLONG'),
  });
  expect(asked()).not.toContain(MINT);
  expect(await leftIn('taken')).toEqual([]);
});

test('keys that cannot be had or read: nothing is minted', async () => {
  await mkdir(join(stub.folder, 'kept'));
  for (const answer of [{ status: 503, body: { code: 'unavailable', detail: 'later' } }, { body: '{"keys":7}' }]) {
    stub.answers['GET /.well-known/jwks.json'] = answer;
    expect((await mint('kept/client.json')).exit).not.toBe(0);
  }
  expect(asked()).not.toContain(MINT);
  expect(await leftIn('kept')).toEqual([]);
});

test('refused: no file, and an older one stays', async () => {
  await mkdir(join(stub.folder, 'old'));
  await writeFile(join(stub.folder, 'old', 'here'), 'before');
  stub.answers[MINT] = { status: 403, body: { code: 'permission_denied', detail: 'no' } };
  expect((await mint('old/here')).exit).toBe(1);
  expect(await leftIn('old')).toEqual([]);
});
