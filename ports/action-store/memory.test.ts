import { describeActionStore } from './contract.ts';
import { MemoryActionStore } from './memory.ts';

describeActionStore('memory', () => new MemoryActionStore());
