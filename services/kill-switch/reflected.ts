// Whether what was sealed before a fence is known to the stores by now: they are told of it behind its answer.

import { logIdOf } from '../../core/ids.ts';
import type { LogFence } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import type { ActionStore } from '../../ports/action-store/port.ts';

/** How long it is waited for. What has been stopped is stopped meanwhile. */
export const REFLECTED_MS = 500;
const FIRST_PAUSE_MS = 5;

/**
 * True when `actions` reflects each of these logs up to its fence, now or within `patienceMs`. False at once where a log could
 * not be fenced: nobody knows what its signer sealed last.
 */
export async function reflectedUpTo(
  fences: readonly LogFence[],
  actions: Pick<ActionStore, 'position'>,
  patienceMs = REFLECTED_MS,
): Promise<boolean> {
  let behind = [...fences];
  if (behind.some(({ ended }) => ended.case !== 'fenceIndex')) return false;
  const untilMs = performance.now() + patienceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const reached = await Promise.all(behind.map(({ origin }) => actions.position(logIdOf(origin))));
    behind = behind.filter(({ ended }, i) => BigInt(reached[i] as number) < (ended.value as bigint));
    if (behind.length === 0) return true;
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, leftMs)));
  }
}

/** The same of decisions that are recorded before they are answered: true when those under way have been, within `patienceMs`. */
export function settledWithin(settled: Promise<void>, patienceMs = REFLECTED_MS): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    settled.then(() => resolve(true), reject).finally(() => clearTimeout(timer));
  });
}
