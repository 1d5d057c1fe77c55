import { describeEarlyReceipts } from './contract.ts';
import { MemoryEarlyReceipts } from './memory.ts';

describeEarlyReceipts('memory', () => new MemoryEarlyReceipts());
