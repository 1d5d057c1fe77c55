import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ledgerStoreContract } from './contract.ts';
import { TEST_LOG } from './contract-records.ts';
import { openFileLedger } from './file.ts';

const base = mkdtempSync(join(tmpdir(), 'ledger-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let made = 0;

ledgerStoreContract('file', () =>
  openFileLedger({ folder: join(base, String(made++)), newLog: TEST_LOG, segmentBytes: 2_097_152 }),
);
