import { describeIdempotency } from './contract.ts';
import { MemoryIdempotency } from './memory.ts';

describeIdempotency('memory', () => new MemoryIdempotency());
