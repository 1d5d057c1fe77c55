// Work that nobody waits for, done in the pauses: what is counted, told and recorded of a decision follows its answer, and
// would otherwise stand before the next question of the same caller.

/** Longer than the caller of an answer takes to ask again, far shorter than what is recorded may be behind. */
const PAUSE_MS = 2;
/** With so much put off, none of it waits. */
const MAX_PUT_OFF = 64;

export class Behind {
  readonly #failed: (error: unknown) => void;
  #work: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** What `work` throws goes to `failed`: neither to what was put off with it, nor to whoever asks for it to be done. */
  later(work: () => void): void {
    this.#work.push(work);
    if (this.#work.length === MAX_PUT_OFF) setImmediate(() => this.flush());
    else this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** Does it now: before anything that builds on it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const work of this.#work.splice(0)) {
      try {
        work();
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
