import { expect, it } from 'vitest';
import { requireNotOlder } from './older-copy.ts';

const logId = 'a'.repeat(12);
const following = (index: number) => ({ position: async (log: string) => (log === logId ? index : 0) });

it('lets a log start that has all that was followed of it, and no other', async () => {
  const log = { logId, size: () => 7 };
  await requireNotOlder(log, [following(0), following(7)]);
  await requireNotOlder({ ...log, logId: 'b'.repeat(12) }, [following(9)]);
  await expect(requireNotOlder(log, [following(0), following(8)])).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('reflect 8 receipts, the log has 7'),
  });
});

it('does not take a store that cannot be asked for one that knows nothing', async () => {
  const away = { position: () => Promise.reject(new Error('away')) };
  await expect(requireNotOlder({ logId, size: () => 7 }, [following(1), away])).rejects.toThrow('away');
});
