import { expect, it } from 'vitest';
import { describeReceiptStream, LOGS, streamed } from './contract.ts';
import { MemoryReceiptStream } from './memory.ts';

describeReceiptStream('memory', async () => {
  const one = new MemoryReceiptStream();
  return { one, two: one };
});

it('has another identity after its loss, and takes again what it had', async () => {
  const stream = new MemoryReceiptStream();
  await stream.publish([streamed(0)]);
  const { identity } = await stream.reach(LOGS[0]);
  stream.wipe();
  expect(await stream.reach(LOGS[0])).toEqual({ identity: expect.not.stringMatching(identity), last: undefined });
  await stream.publish([streamed(0)]);
  expect(stream.stored).toHaveLength(1);
});
