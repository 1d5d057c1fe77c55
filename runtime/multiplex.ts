// Answers many requests of one stream at once, in whatever order they finish.

import { type Flow, flow, flowOf } from './flow.ts';

/**
 * Maps `requests` through `answer` with at most `limit` under way or finished and not yet taken; further requests wait
 * unread, which is the stream's back-pressure. `answer` must not throw. Ends when the requests end and every answer has
 * been taken; fails as the requests do, once every answer has been taken. `unasked` is given a way to send what answers
 * no request, and gives what ends that.
 */
export function multiplex<I, O>(
  requests: AsyncIterable<I>,
  answer: (request: I) => Promise<O>,
  limit: number,
  unasked: (send: (message: O) => void) => () => void = () => () => {},
): Flow<O> {
  const source = flowOf(requests);
  const ready: O[] = [];
  let held = 0;
  let left = false;
  let reader = () => {};
  const answered = (message: O) => {
    if (left) return;
    ready.push(message);
    reader();
  };
  const unhook = unasked((message) => {
    held += 1;
    answered(message);
  });
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    unhook();
  };
  let taking = false;
  const read = () => {
    while (held < limit && !left) {
      const request = source.take();
      if (request === undefined) break;
      held += 1;
      answer(request).then(answered);
    }
    // Who is taking sees it by itself, once it has handed on what it took.
    if (source.done && !taking) reader();
  };
  const over = () => left || (held === 0 && source.done);
  source.tell(read);
  read();
  return flow({
    take() {
      const message = ready.shift();
      if (message === undefined) {
        if (over()) stop();
        return undefined;
      }
      held -= 1;
      if (held === limit - 1) {
        taking = true;
        read();
        taking = false;
      }
      return message;
    },
    get done() {
      return over();
    },
    get failure() {
      return source.failure;
    },
    tell(told) {
      reader = told;
    },
    leave() {
      if (left) return;
      left = true;
      ready.length = 0;
      stop();
      source.leave();
    },
  });
}
