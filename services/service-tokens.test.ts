// Whose token a caller shows is only as sure as the folder the tokens lie in.

import { chmod, chown, copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownAuthorization, tokenReader } from './service-tokens.ts';

const folder = () => mkdtemp(join(tmpdir(), 'beacon-tokens-'));
const refused = expect.objectContaining({ code: 'failed_precondition' });

test('the token of a service is its own, and nobody else’s', async () => {
  const tokens = await folder();
  const whose = await tokenReader(tokens, 'decision');
  expect(whose(await ownAuthorization(tokens, 'gateway'))).toBe('gateway');
  expect(whose(await ownAuthorization(tokens, 'scoring'))).toBeUndefined();
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic x']) expect(whose(header)).toBeUndefined();
});

test('a folder that others reach into is refused: they could put a token of their own there', async () => {
  for (const mode of [0o777, 0o770, 0o755]) {
    const tokens = await folder();
    await chmod(tokens, mode);
    await expect(ownAuthorization(tokens, 'gateway')).rejects.toThrow(refused);
    await expect(tokenReader(tokens, 'decision')).rejects.toThrow(refused);
  }
});

test.skipIf(process.getuid?.() !== 0)('so is one of another user (only root can give a folder away)', async () => {
  const tokens = await folder();
  await chown(tokens, 65_534, 65_534);
  await expect(tokenReader(tokens, 'decision')).rejects.toThrow(refused);
});

test('two services with one token would be whichever is looked for first: refused', async () => {
  const tokens = await folder();
  await ownAuthorization(tokens, 'scoring');
  await copyFile(join(tokens, 'scoring.token'), join(tokens, 'decision.token'));
  await expect(tokenReader(tokens, 'receipt-signer')).rejects.toThrow(refused);
});

test('a token that could be guessed is refused', async () => {
  const tokens = await folder();
  await writeFile(join(tokens, 'gateway.token'), 'gateway\n', { mode: 0o600 });
  await expect(tokenReader(tokens, 'decision')).rejects.toThrow(refused);
});
