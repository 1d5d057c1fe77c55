// Calls that are kept waiting on purpose. Each holds a place on a connection to a decision replica for as long as it waits,
// so there is an end to them: who opens a permit, says how an action went or approves uses the same connections.

import { BeaconError } from '../../core/errors.ts';

/** Far fewer than fit on the connections to one replica. */
const MAX_WAITS = 1_024;
/** Of one share: a tenant, all callers without a token, or people. */
const MAX_WAITS_OF_ONE = 256;
const RETRY_AFTER_MS = 1_000;

export class Waits {
  readonly #refused: () => void;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(refused: () => void) {
    this.#refused = refused;
  }

  /** Runs `work`, or throws `resource_exhausted` without starting it. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const held = this.#held.get(key) ?? 0;
    if (held >= MAX_WAITS_OF_ONE || this.#all >= MAX_WAITS) {
      this.#refused();
      throw new BeaconError('resource_exhausted', 'too many calls wait for an approval', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#held.set(key, held + 1);
    this.#all += 1;
    try {
      return await work();
    } finally {
      this.#all -= 1;
      const left = (this.#held.get(key) ?? 1) - 1;
      if (left > 0) this.#held.set(key, left);
      else this.#held.delete(key);
    }
  }
}
