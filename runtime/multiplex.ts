// Answers many requests of one stream at once, in whatever order they finish.

/**
 * Maps `requests` through `answer` with at most `limit` under way; further requests wait unread, which is the stream's
 * back-pressure. `answer` must not throw. Ends when the requests end and every answer has been given.
 */
export async function* multiplex<I, O>(
  requests: AsyncIterable<I>,
  answer: (request: I) => Promise<O>,
  limit: number,
): AsyncIterable<O> {
  const ready: O[] = [];
  let underWay = 0;
  let ended = false;
  let failure: unknown;
  let wakeReader = () => {};
  let wakeWriter = () => {};
  const reading = (async () => {
    for await (const request of requests) {
      underWay += 1;
      answer(request).then((result) => {
        underWay -= 1;
        ready.push(result);
        wakeWriter();
        wakeReader();
      });
      if (underWay >= limit) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
    }
  })()
    .catch((error) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wakeWriter();
    });
  while (true) {
    while (ready.length > 0) yield ready.shift() as O;
    if (ended && underWay === 0 && ready.length === 0) break;
    await new Promise<void>((resolve) => {
      wakeWriter = resolve;
    });
  }
  await reading;
  if (failure !== undefined) throw failure;
}
