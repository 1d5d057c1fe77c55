import { describeOutboxCursor } from './contract.ts';
import { MemoryOutboxCursor } from './memory.ts';

describeOutboxCursor('memory', async () => {
  const cursor = new MemoryOutboxCursor();
  return { open: () => cursor };
});
