import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeOutboxCursor } from './contract.ts';
import { FileOutboxCursor } from './file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cursor-'));
let files = 0;
const path = () => join(folder, `cursor-${files++}`);
afterAll(() => rmSync(folder, { recursive: true }));

describeOutboxCursor('file', async () => {
  const at = path();
  return { open: () => new FileOutboxCursor(at) };
});

it('takes what it cannot read for nothing, and a leftover of a crash for nothing', async () => {
  for (const text of ['', '{"index":1', '{"index":-1,"stream":"a"}', '{"index":1.5,"stream":"a"}', '{"index":1}']) {
    const at = path();
    writeFileSync(at, text);
    expect(await new FileOutboxCursor(at).load()).toBeUndefined();
  }
  const at = path();
  writeFileSync(`${at}.next`, '{"index":9,"stream":"a"}');
  expect(await new FileOutboxCursor(at).load()).toBeUndefined();
});

it('is readable by its owner alone', async () => {
  const at = path();
  await new FileOutboxCursor(at).save({ index: 1, stream: 'a' });
  expect(statSync(at).mode & 0o777).toBe(0o600);
});
