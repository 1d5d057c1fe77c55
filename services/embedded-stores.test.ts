// State files that cannot be used stop the start, and say which it is and what to do: only one of them can be made again.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbeddedStores } from './embedded-stores.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-stores-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => openEmbeddedStores(folder, () => undefined);
const files = [
  ['state.db', 'action', /made again from the ledger/],
  ['revocations.db', 'revocation', /made again from the kill switch's log/],
  ['tokens.db', 'token', /put back a copy/],
] as const;

test.each(files)('%s that is damaged', (name, _table, advice) => {
  writeFileSync(join(folder, name), 'x'.repeat(8_192), { mode: 0o600 });
  expect(open).toThrow(
    expect.objectContaining({ code: 'failed_precondition', message: expect.stringMatching(advice) }),
  );
  expect(open).toThrow(`${join(folder, name)} cannot be used (file is not a database)`);
});

test.each(files)('%s of a newer Beacon', (name, table, advice) => {
  open().close();
  const db = new DatabaseSync(join(folder, name));
  db.exec(`ALTER TABLE ${table} ADD COLUMN more TEXT`);
  db.close();
  expect(open).toThrow(
    expect.objectContaining({ code: 'failed_precondition', message: expect.stringMatching(advice) }),
  );
  expect(open).toThrow(join(folder, name));
});
