import { ledgerStoreContract } from './contract.ts';
import { TEST_LOG } from './contract-records.ts';
import { createMemoryLedger } from './memory.ts';

ledgerStoreContract('memory', async () => createMemoryLedger(TEST_LOG));
