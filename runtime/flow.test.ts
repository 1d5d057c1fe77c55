// A flow and an async iterable are read alike, nothing is drawn before it is asked for, and who goes lets the writer know.

import { expect, test } from 'vitest';
import { checkedFlow, type Flow, flowOf } from './flow.ts';

function counting(count: number, failure?: Error) {
  const seen = { drawn: 0, left: false };
  async function* messages(): AsyncGenerator<{ readonly n: number }> {
    try {
      for (let n = 0; n < count; n += 1) {
        seen.drawn += 1;
        yield { n };
      }
      if (failure) throw failure;
    } finally {
      seen.left = true;
    }
  }
  return { seen, messages: messages() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Everything, taken as it comes, and why it ended. */
function drain<T>(messages: Flow<T>): Promise<{ readonly taken: T[]; readonly failure: unknown }> {
  const taken: T[] = [];
  return new Promise((resolve) => {
    const read = () => {
      for (let message = messages.take(); message !== undefined; message = messages.take()) taken.push(message);
      if (messages.done) resolve({ taken, failure: messages.failure });
    };
    messages.tell(read);
    read();
  });
}

test('an async iterable as a flow gives each message once, in order, then its failure', async () => {
  const failure = new Error('broken');
  expect(await drain(flowOf(counting(3, failure).messages))).toEqual({
    taken: [{ n: 0 }, { n: 1 }, { n: 2 }],
    failure,
  });
  expect(await drain(flowOf(counting(1).messages))).toEqual({ taken: [{ n: 0 }], failure: undefined });
});

test('of an async iterable nothing is drawn before it is asked for, and no more than one message', async () => {
  const { seen, messages } = counting(9);
  const drawn = flowOf(messages);
  await turn();
  expect(seen.drawn).toBe(0);
  expect(drawn.take()).toBeUndefined();
  await turn();
  expect(seen.drawn).toBe(1);
  expect(drawn.take()).toEqual({ n: 0 });
  await turn();
  expect(seen.drawn).toBe(1);
  drawn.leave();
  await turn();
  expect(seen).toEqual({ drawn: 1, left: true });
  expect([drawn.take(), drawn.done]).toEqual([undefined, true]);
});

test('what a check refuses ends the flow before it is taken, and the writer is left', async () => {
  const { seen, messages } = counting(9);
  const refusal = new Error('not this one');
  const checked = checkedFlow(messages, ({ n }) => {
    if (n === 2) throw refusal;
  });
  expect(await drain(checked)).toEqual({ taken: [{ n: 0 }, { n: 1 }], failure: refusal });
  await turn();
  expect(seen).toEqual({ drawn: 3, left: true });
});

test('a flow iterated is what it was iterated from; a second question meanwhile is refused, not lost', async () => {
  const checked = checkedFlow(counting(2, new Error('broken')).messages, () => {});
  const iterator = checked[Symbol.asyncIterator]();
  const first = iterator.next();
  await expect(iterator.next()).rejects.toThrow('one question at a time');
  expect(await first).toEqual({ done: false, value: { n: 0 } });
  expect(await iterator.next()).toEqual({ done: false, value: { n: 1 } });
  await expect(iterator.next()).rejects.toThrow('broken');
});

test('who leaves while a question is open has it answered', async () => {
  async function* never(): AsyncGenerator<object> {
    await new Promise(() => {});
    yield {};
  }
  const iterator = checkedFlow(never(), () => {})[Symbol.asyncIterator]();
  const open = iterator.next();
  await iterator.return?.();
  expect((await open).done).toBe(true);
});
