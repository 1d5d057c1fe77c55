// What a request on a long stream is owed: its own answer or its own end, and the truth about whether it was ever sent.

import { expect, test, vi } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import { Exchange, ExchangeFailure, type Received } from './exchange.ts';

type Sent = { readonly sequence: bigint; readonly text: string };
type Stream = {
  readonly sent: Sent[];
  /** Takes the next request from the wire. */
  take(): Promise<Sent | undefined>;
  answer(of: Sent, error?: BeaconError): void;
  end(failure?: Error): void;
};

/** An exchange whose other end is in the test's hand: each stream takes a request only when it is told to. */
function world({ maxPending = 100, maxAgeMs = 60_000 } = {}) {
  const streams: Stream[] = [];
  const state = { late: 0, nowMs: 0 };
  const open = (requests: AsyncIterable<Sent>): AsyncIterable<Received<string>> => {
    const iterator = requests[Symbol.asyncIterator]();
    const sent: Sent[] = [];
    const answers: Received<string>[] = [];
    let over: { readonly failure?: Error } | undefined;
    let wake = () => {};
    streams.push({
      sent,
      async take() {
        const { done, value } = await iterator.next();
        if (!done) sent.push(value);
        return done ? undefined : value;
      },
      answer({ sequence, text }, error) {
        answers.push(error ? { sequence, error } : { sequence, response: `${text}!` });
        wake();
      },
      end(failure) {
        over = failure ? { failure } : {};
        wake();
      },
    });
    return (async function* received() {
      for (;;) {
        yield* answers.splice(0);
        if (over?.failure) throw over.failure;
        if (over) return;
        if (answers.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    })();
  };
  const exchange = new Exchange<string, string, Sent, Received<string>>({
    open,
    write: (sequence, text) => ({ sequence, text }),
    read: (answer) => answer,
    limits: { maxPending, maxAgeMs },
    now: () => state.nowMs,
    late: () => {
      state.late += 1;
    },
  });
  const ask = (text: string, notAfterMs = 1_000) => {
    const asked = exchange.ask(text, notAfterMs);
    asked.catch(() => {});
    return asked;
  };
  return { exchange, streams, state, ask };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    () => expect.fail('was answered'),
    (thrown: ExchangeFailure) => {
      expect(thrown).toBeInstanceOf(ExchangeFailure);
      return { code: thrown.error.code, unclear: thrown.unclear };
    },
  );
/** As grpc-js says it of a connection that was ending. */
const refused = () =>
  new BeaconError('unavailable', 'refused', {
    cause: Object.assign(new Error(), { details: 'Stream refused by server' }),
  });

async function taken(stream: Stream | undefined): Promise<Sent> {
  return (await (stream as Stream).take()) as Sent;
}

test('answers find their requests in whatever order they come', async () => {
  const { ask, streams } = world();
  const asked = ['a', 'b', 'c'].map((text) => ask(text));
  await turn();
  const sent = [await taken(streams[0]), await taken(streams[0]), await taken(streams[0])];
  for (const one of sent.toReversed()) streams[0]?.answer(one);
  expect(await Promise.all(asked)).toEqual(['a!', 'b!', 'c!']);
  expect(streams).toHaveLength(1);
});

test('what was given up unsent is never sent and leaves no doubt; what was sent leaves it, and is told of late', async () => {
  const { ask, streams, state, exchange } = world();
  const first = ask('sent');
  const second = ask('unsent');
  await turn();
  const sent = await taken(streams[0]);
  state.nowMs = 1_001;
  expect(await failureOf(first)).toEqual({ code: 'deadline_exceeded', unclear: true });
  expect(await failureOf(second)).toEqual({ code: 'deadline_exceeded', unclear: false });
  expect(exchange.pending).toBe(1);
  const third = ask('third', 5_000);
  expect((await taken(streams[0])).text).toBe('third');
  streams[0]?.answer(sent);
  await expect.poll(() => state.late).toBe(1);
  streams[0]?.answer(streams[0].sent[1] as Sent);
  expect(await third).toBe('third!');
});

test('a request that fails says by its code whether it may have been done', async () => {
  const { ask, streams } = world();
  const asked = [ask('a'), ask('b')];
  await turn();
  streams[0]?.answer(await taken(streams[0]), new BeaconError('unavailable', ''));
  streams[0]?.answer(await taken(streams[0]), new BeaconError('resource_exhausted', ''));
  expect(await failureOf(asked[0] as Promise<string>)).toEqual({ code: 'unavailable', unclear: true });
  expect(await failureOf(asked[1] as Promise<string>)).toEqual({ code: 'resource_exhausted', unclear: false });
});

test('a stream that is lost fails what it carried, and the next request has another', async () => {
  const { ask, streams, exchange } = world();
  const asked = [ask('sent'), ask('unsent')];
  await turn();
  await taken(streams[0]);
  streams[0]?.end(new Error('torn'));
  expect(await failureOf(asked[0] as Promise<string>)).toEqual({ code: 'unavailable', unclear: true });
  expect(await failureOf(asked[1] as Promise<string>)).toEqual({ code: 'unavailable', unclear: false });
  expect(exchange.pending).toBe(0);
  const again = ask('again');
  await turn();
  streams[1]?.answer(await taken(streams[1]));
  expect(await again).toBe('again!');
});

test('a stream that cannot be opened fails its requests by themselves', async () => {
  const exchange = new Exchange<string, string, Sent, Received<string>>({
    open: () => {
      throw new BeaconError('unavailable', 'no');
    },
    write: (sequence, text) => ({ sequence, text }),
    read: (answer) => answer,
    limits: { maxPending: 9, maxAgeMs: 9 },
    now: () => 0,
    late: () => {},
  });
  for (const text of ['a', 'b']) {
    expect(await failureOf(exchange.ask(text, 1_000))).toEqual({ code: 'unavailable', unclear: false });
  }
  expect(exchange.pending).toBe(0);
});

test('a request refused unread moves to another stream, and not for ever', async () => {
  const { ask, streams } = world();
  const asked = ask('a');
  await turn();
  await taken(streams[0]);
  streams[0]?.end(refused());
  await expect.poll(() => streams.length).toBe(2);
  await turn();
  streams[1]?.answer(await taken(streams[1]));
  expect(await asked).toBe('a!');
  const unlucky = ask('b', Number.POSITIVE_INFINITY);
  for (let n = 1; n <= 6; n += 1) {
    await expect.poll(() => streams.length).toBeGreaterThanOrEqual(Math.max(2, n + 1));
    await turn();
    await taken(streams[n]);
    streams[n]?.end(refused());
  }
  expect(await failureOf(unlucky)).toEqual({ code: 'unavailable', unclear: true });
});

test('a stream that is retired or too old finishes what it carries and takes no more', async () => {
  const { ask, streams, state, exchange } = world({ maxAgeMs: 100 });
  const first = ask('first', 10_000);
  await turn();
  const sent = await taken(streams[0]);
  exchange.retire();
  const second = ask('second', 10_000);
  await turn();
  expect(await (streams[0] as Stream).take()).toBeUndefined();
  expect((await taken(streams[1])).text).toBe('second');
  state.nowMs = 101;
  const third = ask('third', 10_000);
  await turn();
  expect((await taken(streams[2])).text).toBe('third');
  streams[0]?.answer(sent);
  for (const n of [1, 2]) streams[n]?.answer(streams[n].sent[0] as Sent);
  expect(await Promise.all([first, second, third])).toEqual(['first!', 'second!', 'third!']);
});

test('more than may wait are shed at once', async () => {
  const { ask } = world({ maxPending: 2 });
  ask('a');
  ask('b');
  expect(await failureOf(ask('c'))).toEqual({ code: 'resource_exhausted', unclear: false });
});

test('no timer runs while nothing waits', async () => {
  const { streams, ask } = world();
  vi.useFakeTimers();
  try {
    const asked = ask('a');
    await vi.advanceTimersByTimeAsync(0);
    const request = (await streams[0]?.take()) as Sent;
    expect(vi.getTimerCount()).toBe(1);
    streams[0]?.answer(request);
    await vi.advanceTimersByTimeAsync(100);
    expect(await asked).toBe('a!');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
