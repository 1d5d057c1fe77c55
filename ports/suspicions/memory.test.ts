import { describeSuspicions } from './contract.ts';
import { MemorySuspicions } from './memory.ts';

describeSuspicions('memory', () => new MemorySuspicions());
