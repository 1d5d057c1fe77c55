import fc from 'fast-check';
import { expect, it } from 'vitest';
import { verifyReceipt } from '../../core/verify.ts';
import { checkReceipt } from './ledger-source.ts';
import { newSigner, TestLog } from './log.fixture.ts';

it('qualifies exactly what core/verify does, whichever byte is spoiled', async () => {
  const log = new TestLog();
  log.work();
  const leaf = log.leaves[0] as Uint8Array;
  const spoiling = fc.record({ at: fc.nat({ max: leaf.length - 1 }), xor: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(spoiling, async ({ at, xor }) => {
      const spoiled = Buffer.from(leaf);
      spoiled[at] = (spoiled[at] as number) ^ xor;
      const { qualified } = await checkReceipt(spoiled, log.keys.all());
      expect(qualified).toBe(qualifies(spoiled, log.keys.all()));
      expect(qualified).toBe(xor === 0);
    }),
    { numRuns: 400 },
  );
});

function qualifies(...from: Parameters<typeof verifyReceipt>): boolean {
  try {
    return verifyReceipt(...from) !== undefined;
  } catch {
    return false;
  }
}

it('does not take a key that nobody published, whatever the envelope calls it', async () => {
  const log = new TestLog();
  const stranger = newSigner();
  const impostor = { ...stranger, publicKey: { ...stranger.publicKey, keyId: log.signer.publicKey.keyId } };
  const who = { tenant_id: 't', agent_id: 'a' };
  const named = await checkReceipt(log.sign('action', who, 0, stranger), log.keys.all());
  expect(named).toMatchObject({ qualified: false, code: 'unknown_key' });
  const forged = await checkReceipt(log.sign('action', who, 0, impostor), log.keys.all());
  expect(forged).toMatchObject({ qualified: false, code: 'bad_signature' });
});
