import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeKnownLeader } from './contract.ts';
import { FileKnownLeader } from './file.ts';

const folder = mkdtempSync(join(tmpdir(), 'leader-'));
let files = 0;
const path = () => join(folder, `leader-${files++}`);
afterAll(() => rmSync(folder, { recursive: true }));

describeKnownLeader('file', async () => {
  const at = path();
  return { open: () => new FileKnownLeader(at) };
});

it('refuses what it cannot read, rather than to follow anybody again', async () => {
  for (const text of [
    '',
    '{"origin":"a"',
    '{"origin":"a"}',
    '{"epoch":3}',
    '{"origin":"a","epoch":1.5}',
    '{"origin":"a","epoch":1,"granted":{}}',
  ]) {
    const at = path();
    writeFileSync(at, text);
    await expect(new FileKnownLeader(at).load()).rejects.toMatchObject({ code: 'failed_precondition' });
  }
});

it('is readable by its owner alone', async () => {
  const at = path();
  await new FileKnownLeader(at).save({ origin: 'a', epoch: 1 });
  expect(statSync(at).mode & 0o777).toBe(0o600);
});
