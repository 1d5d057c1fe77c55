import { ledgerStoreContract, TEST_LOG } from './contract.ts';
import { createMemoryLedger } from './memory.ts';

ledgerStoreContract('memory', async () => createMemoryLedger(TEST_LOG));
