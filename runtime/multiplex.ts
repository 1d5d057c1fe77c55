// Answers many requests of one stream at once, in whatever order they finish.

/**
 * Maps `requests` through `answer` with at most `limit` under way or finished and not yet taken; further requests wait
 * unread, which is the stream's back-pressure. `answer` must not throw. Ends when the requests end and every answer has
 * been taken; rejects as the requests do, once every answer has been taken. `unasked` is given a way to send what answers
 * no request, and gives what ends that.
 */
export async function* multiplex<I, O>(
  requests: AsyncIterable<I>,
  answer: (request: I) => Promise<O>,
  limit: number,
  unasked: (send: (message: O) => void) => () => void = () => () => {},
): AsyncGenerator<O> {
  let ready: O[] = [];
  let held = 0;
  let ended = false;
  let left = false;
  let failure: unknown;
  let wakeReader = () => {};
  let wakeWriter = () => {};
  const put = (message: O) => {
    held += 1;
    ready.push(message);
    wakeWriter();
  };
  const stop = unasked(put);
  const read = async () => {
    for await (const request of requests) {
      if (left) return;
      held += 1;
      answer(request).then((result) => {
        ready.push(result);
        wakeWriter();
      });
      while (held >= limit && !left) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    }
  };
  read()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wakeWriter();
    });
  try {
    for (;;) {
      const batch = ready;
      ready = [];
      for (const result of batch) {
        held -= 1;
        wakeReader();
        yield result;
      }
      if (ready.length > 0) continue;
      if (ended && held === 0) {
        if (failure !== undefined) throw failure;
        return;
      }
      await new Promise<void>((resolve) => {
        wakeWriter = resolve;
      });
    }
  } finally {
    stop();
    left = true;
    wakeReader();
  }
}
