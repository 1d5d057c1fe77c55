// What each beat of a decision took. Told behind the answer: nobody waits for it.

import type { CallContext } from '../../core/principal.ts';
import type { Meter } from './deps.ts';

type Stage = Parameters<Meter['stage']>[0];

export class StageClock {
  readonly #traced: CallContext['traced'];
  readonly #started = performance.now();
  readonly #laps: { readonly stage: Stage; readonly seconds: number }[] = [];
  #last = this.#started;

  constructor(traced: CallContext['traced']) {
    this.#traced = traced;
  }

  /** Ends a beat that began with the clock or with the end of the one before. */
  lap(stage: Stage): void {
    const now = performance.now();
    this.#laps.push({ stage, seconds: (now - this.#last) / 1000 });
    this.#traced?.part(stage, this.#last, now);
    this.#last = now;
  }

  /** Seconds since the clock began. */
  total(): number {
    return (performance.now() - this.#started) / 1000;
  }

  tell(meter: Pick<Meter, 'stage'>): void {
    for (const { stage, seconds } of this.#laps) meter.stage(stage, seconds);
  }
}
