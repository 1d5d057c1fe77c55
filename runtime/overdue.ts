// Replies that must be there in time, with one timer for all of them. A process that stood still finds its timers due
// before it has read anything: what has come by then is read first, and only what has not is given up.

type Waiting = { readonly dueMs: number; readonly giveUp: () => void };

export class Overdue {
  readonly #timeoutMs: number;
  /** In the order in which they are due: all have the same time. */
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Replies that are waited for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** As `reply` settles, or rejects when it has not in time; what comes of it later is nobody's. */
  watch<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error(`no reply within ${this.#timeoutMs} ms`));
      const waiting = { dueMs: performance.now() + this.#timeoutMs, giveUp };
      this.#waiting.add(waiting);
      this.#timer ??= this.#next(this.#timeoutMs);
      reply.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (fault) => {
          this.#waiting.delete(waiting);
          reject(fault);
        },
      );
    });
  }

  #next(afterMs: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.#look()), afterMs).unref();
  }

  #look(): void {
    const nowMs = performance.now();
    this.#timer = undefined;
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > nowMs) {
        this.#timer = this.#next(waiting.dueMs - nowMs);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  }
}
