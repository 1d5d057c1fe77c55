// Work that nobody waits for, done in the pauses: what is counted, told and recorded of a decision follows its answer, and
// would otherwise stand before the next question of the same caller. The best pause is the one in which a signer is at work.

/** Longer than a caller takes to ask again and to be asked about at a signer, far shorter than what is recorded may be behind. */
const PAUSE_MS = 3;
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
    if (this.#work.length === MAX_PUT_OFF) this.pause();
    else this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** There is nothing to do here for a while but this; what has just been asked of others leaves first. */
  pause(): void {
    if (this.#work.length > 0) setImmediate(() => this.flush());
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
