// How much an inbox holds for a reader that does not come.

import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { inbox } from './rpc-inbox.ts';

/** Gives messages of one size for as long as somebody takes them. */
function endless(bytes: number) {
  let given = 0;
  const stream = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      given += 1;
      setImmediate(() => this.push(Buffer.alloc(bytes)));
    },
  });
  return { stream, given: () => given };
}

test.each([
  ['large messages by their bytes', 1024 * 1024, 8],
  ['small ones by their number', 8, 300],
])('%s', async (_, bytes, most) => {
  const { stream, given } = endless(bytes);
  const messages = inbox<Buffer, Buffer>(stream, { read: (message) => message })[Symbol.asyncIterator]();
  await messages.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(given()).toBeLessThanOrEqual(most);
  // Who comes again gets what waits, and more after it.
  for (let n = 0; n < 2 * most; n++) expect((await messages.next()).value?.length).toBe(bytes);
  await messages.return?.(undefined);
  stream.destroy();
});

const asIs = { read: (message: Buffer) => message };

test('nothing is received before somebody asks: whoever is not let in yet fills no memory', async () => {
  const { stream, given } = endless(8);
  const messages = inbox<Buffer, Buffer>(stream, asIs);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(given()).toBeLessThanOrEqual(1);
  expect(messages.take()).toBeUndefined();
  await expect.poll(() => messages.take()?.length).toBe(8);
  stream.destroy();
});

test('what cannot be read ends the inbox there; what came before is taken', async () => {
  const stream = Readable.from([Buffer.of(1), Buffer.of(0), Buffer.of(2)]);
  const read = (message: Buffer) => {
    if (message[0] === 0) throw new Error('no message');
    return message[0] as number;
  };
  const seen: number[] = [];
  await expect(async () => {
    for await (const one of inbox<Buffer, number>(stream, { read })) seen.push(one);
  }).rejects.toThrow('no message');
  expect(seen).toEqual([1]);
});

test('a stream that ended before anybody asked is at its end', async () => {
  const { stream } = endless(8);
  const messages = inbox<Buffer, Buffer>(stream, asIs);
  stream.emit('cancelled');
  stream.destroy();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await messages[Symbol.asyncIterator]().next()).done).toBe(true);
});
