import { describeScoreStore } from './contract.ts';
import { MemoryScoreStore } from './memory.ts';

describeScoreStore('memory', () => new MemoryScoreStore());
