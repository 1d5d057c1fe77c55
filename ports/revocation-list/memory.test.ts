import { describeRevocationList } from './contract.ts';
import { MemoryRevocationList } from './memory.ts';

describeRevocationList('memory', () => {
  const list = new MemoryRevocationList();
  return { list, flush: () => list.flush() };
});
