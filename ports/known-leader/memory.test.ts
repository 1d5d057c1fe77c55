import { describeKnownLeader } from './contract.ts';
import { MemoryKnownLeader } from './memory.ts';

describeKnownLeader('memory', async () => {
  const store = new MemoryKnownLeader();
  return { open: () => store };
});
