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
