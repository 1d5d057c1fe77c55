// Messages from one writer to one reader in this process, without a promise for each: the reader takes what waits and is
// told when there is more. Who wants an async iterable has one; what is only an async iterable is read the same way.

export type Taking<T> = {
  /** The next message; undefined when none waits. What is not taken holds the writer up, where the writer has a bound. */
  take(): T | undefined;
  /** Nothing waits and nothing will come any more. */
  readonly done: boolean;
  /** Why it is done, unless it simply ended. */
  readonly failure: unknown;
  /** `reader` is told, at times for nothing, that there is more or that it is done. Must not throw. */
  tell(reader: () => void): void;
  /** The reader goes, and takes nothing any more. */
  leave(): void;
};

/** Read in one of both ways, not in both. */
export type Flow<T> = Taking<T> & AsyncIterable<T>;

export function flow<T>(taking: Taking<T>): Flow<T> {
  return Object.assign(taking, { [Symbol.asyncIterator]: () => iterate(taking) });
}

/** Draws one message at a time from what is no flow, and none before it is asked for. */
export function flowOf<T>(messages: AsyncIterable<T>): Flow<T> {
  return 'tell' in messages ? (messages as Flow<T>) : drawn(messages);
}

/** The same messages, each seen by `check` before it is taken; what that throws ends the flow. */
export function checkedFlow<T>(messages: AsyncIterable<T>, check: (message: T) => void): Flow<T> {
  const source = flowOf(messages);
  let failure: unknown;
  let failed = false;
  return flow({
    take() {
      const message = failed ? undefined : source.take();
      if (message === undefined) return undefined;
      try {
        check(message);
        return message;
      } catch (error) {
        failed = true;
        failure = error;
        source.leave();
        return undefined;
      }
    },
    get done() {
      return failed || source.done;
    },
    get failure() {
      return failed ? failure : source.failure;
    },
    tell: (reader) => source.tell(reader),
    leave: () => source.leave(),
  });
}

function drawn<T>(messages: AsyncIterable<T>): Flow<T> {
  const iterator = messages[Symbol.asyncIterator]();
  let next: T | undefined;
  let drawing = false;
  let over = false;
  let failure: unknown;
  let reader = () => {};
  const came = ({ done, value }: IteratorResult<T>) => {
    drawing = false;
    if (over) return;
    if (done) over = true;
    else next = value;
    reader();
  };
  const broke = (error: unknown) => {
    if (over) return;
    over = true;
    failure = error;
    reader();
  };
  return flow({
    take() {
      const message = next;
      next = undefined;
      if (message === undefined && !drawing && !over) {
        drawing = true;
        iterator.next().then(came, broke);
      }
      return message;
    },
    get done() {
      return over && next === undefined;
    },
    get failure() {
      return failure;
    },
    tell(told) {
      reader = told;
    },
    leave() {
      next = undefined;
      if (over) return;
      over = true;
      // Nobody is left to hear of what goes wrong now.
      iterator.return?.().catch(() => {});
    },
  });
}

function iterate<T>(from: Taking<T>): AsyncIterator<T> {
  let waiting: (() => boolean) | undefined;
  const told = () => {
    const answer = waiting;
    waiting = undefined;
    if (answer && !answer()) waiting = answer;
  };
  from.tell(told);
  return {
    next() {
      if (waiting) return Promise.reject(new Error('a flow has one reader, who asks one question at a time'));
      return new Promise((resolve, reject) => {
        const answer = () => {
          const value = from.take();
          if (value !== undefined) resolve({ done: false, value });
          else if (!from.done) return false;
          else if (from.failure !== undefined) reject(from.failure);
          else resolve({ done: true, value: undefined });
          return true;
        };
        if (!answer()) waiting = answer;
      });
    },
    return() {
      from.leave();
      told();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}
