import { describeBudgets } from './contract.ts';
import { MemoryBudgets } from './memory.ts';

describeBudgets('memory', () => new MemoryBudgets());
