import { expect, test } from 'vitest';
import { flow } from './flow.ts';
import { multiplex } from './multiplex.ts';

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function* from<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values;
}

test('a slow request does not hold up the ones behind it', async () => {
  const order: number[] = [];
  const answers = multiplex(
    from([30, 1, 10]),
    async (ms) => {
      await later(ms);
      return ms;
    },
    8,
  );
  for await (const answer of answers) order.push(answer);
  expect(order).toEqual([1, 10, 30]);
});

test('never more than the limit are under way', async () => {
  let underWay = 0;
  let most = 0;
  const answers = multiplex(
    from(Array.from({ length: 50 }, (_, i) => i)),
    async (i) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await later(i % 3);
      underWay -= 1;
      return i;
    },
    4,
  );
  const seen: number[] = [];
  for await (const answer of answers) seen.push(answer);
  expect(seen.length).toBe(50);
  expect(most).toBe(4);
});

test('a stream that breaks ends with its error, after the answers under way', async () => {
  async function* broken(): AsyncIterable<number> {
    yield 1;
    throw new Error('broken');
  }
  const seen: number[] = [];
  await expect(async () => {
    for await (const answer of multiplex(broken(), async (n) => n, 4)) seen.push(answer);
  }).rejects.toThrow('broken');
  expect(seen).toEqual([1]);
});

test('a reader that takes no answers stops the reading of requests', async () => {
  let read = 0;
  async function* many(): AsyncIterable<number> {
    for (; read < 1_000; read += 1) yield read;
  }
  const answers = multiplex(many(), async (n) => n, 8)[Symbol.asyncIterator]();
  await answers.next();
  await later(5);
  expect(read).toBeLessThan(16);
  await answers.return?.(undefined);
});

test('who leaves has no more requests read, and what is unasked is ended', async () => {
  const left = { requests: false, unasked: false };
  let read = 0;
  async function* many(): AsyncGenerator<number> {
    try {
      for (;;) yield ++read;
    } finally {
      left.requests = true;
    }
  }
  const unasked = () => () => {
    left.unasked = true;
  };
  const answers = multiplex(many(), (n) => later(1).then(() => n), 4, unasked);
  await later(5);
  answers.leave();
  await later(5);
  expect(read).toBe(4);
  expect(left).toEqual({ requests: true, unasked: true });
  expect([answers.take(), answers.done]).toEqual([undefined, true]);
});

test('what is unasked is ended with the stream, and counts among what waits', async () => {
  let send: (n: number) => void = () => {};
  let ended = 0;
  const unasked = (put: (n: number) => void) => {
    send = put;
    return () => {
      ended += 1;
    };
  };
  const answers = multiplex(from([1, 2]), async (n) => n, 1, unasked);
  send(0);
  const seen: number[] = [];
  for await (const answer of answers) seen.push(answer);
  expect(seen).toEqual([0, 1, 2]);
  expect(ended).toBeGreaterThan(0);
});

test('who takes the last answer has it in hand before it is told that there are no more', async () => {
  const requests = [7];
  const source = flow({
    take: () => requests.shift(),
    get done() {
      return requests.length === 0;
    },
    failure: undefined,
    tell() {},
    leave() {},
  });
  const answers = multiplex(source, async (n) => n, 1);
  await new Promise((resolve) => setImmediate(resolve));
  const seen: string[] = [];
  answers.tell(() => {
    if (answers.done) seen.push('done');
  });
  seen.push(`taken ${answers.take()}`);
  expect(seen).toEqual(['taken 7']);
  expect([answers.take(), answers.done]).toEqual([undefined, true]);
});
