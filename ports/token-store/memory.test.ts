import { describeTokenStore } from './contract.ts';
import { MemoryTokenStore } from './memory.ts';

describeTokenStore('memory', () => new MemoryTokenStore());
