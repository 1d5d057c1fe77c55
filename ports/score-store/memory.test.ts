import { describeScoreStore, describeSharedScoreStore } from './contract.ts';
import { MemoryScoreStore } from './memory.ts';

describeScoreStore('memory', () => new MemoryScoreStore());
describeSharedScoreStore('memory', async () => {
  const store = new MemoryScoreStore();
  return { store, other: store };
});
