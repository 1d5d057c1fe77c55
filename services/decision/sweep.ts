// What nobody closes is closed, and what has ended is forgotten, page after page: a fixed number each second would fall
// behind whoever brings more.

import { setImmediate } from 'node:timers/promises';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import type { ActionRecord } from '../../ports/action-store/port.ts';
import { type ActionDeps, close } from './actions.ts';

const PAGE = 256;
/** Closed at once: their receipts share a sync. */
const TOGETHER = 32;
/** Decisions come first: what is left is the next sweep's. */
const SWEEP_FOR_MS = 800;

export class Sweep {
  /**
   * Overdue actions, from the oldest on, that could not be closed when they were last tried. The next sweep begins behind
   * them, and from the oldest when there are no more: a region without a signer keeps nobody else's actions open.
   */
  #passed = 0;

  /** `call` makes the context of each receipt. One at a time. */
  async once(deps: ActionDeps, call: () => CallContext): Promise<void> {
    const { stores, env } = deps.deps;
    const goOn = untilPassed(SWEEP_FOR_MS);
    while (await this.#closePage(deps, call)) if (!(await goOn())) break;
    for (const store of [stores.idempotency, stores.budgets]) {
      const goOnForgetting = untilPassed(SWEEP_FOR_MS);
      while ((await store.sweep(env.now(), PAGE)) >= PAGE) if (!(await goOnForgetting())) break;
    }
  }

  /** True when there may be more, and this one was of use. */
  async #closePage(deps: ActionDeps, call: () => CallContext): Promise<boolean> {
    const { stores, env } = deps.deps;
    const began = this.#passed;
    const overdue = await stores.actions.overdue(env.now(), PAGE, began);
    let closed = 0;
    let failed = 0;
    const closeOne = async (action: ActionRecord) => {
      try {
        await deps.recorder.track(() => close(action, 'lost_confirmation', '', call(), deps));
        closed += 1;
      } catch (error) {
        // Another replica sweeps too.
        if (error instanceof BeaconError && error.code === 'conflict') return;
        failed += 1;
        env.failed('decision.close_overdue', error);
      }
    };
    for (let from = 0; from < overdue.length; from += TOGETHER) {
      await Promise.all(overdue.slice(from, from + TOGETHER).map(closeOne));
    }
    const mayBeMore = overdue.length >= PAGE;
    this.#passed = mayBeMore ? began + failed : 0;
    return closed > 0 && (mayBeMore || began > 0);
  }
}

/** Lets others have their turn; false when the time has passed. */
function untilPassed(ms: number): () => Promise<boolean> {
  const endsMs = performance.now() + ms;
  return async () => {
    await setImmediate();
    return performance.now() < endsMs;
  };
}
