// Tries a policy in a thread of its own before it is loaded beside decisions: an evaluation cannot be interrupted, a thread can.

import { Worker } from 'node:worker_threads';
import { BeaconError } from '../../core/errors.ts';
import type { PolicyBundle } from './port.ts';

/** The best of TRIES must be within it: each decision waits for the evaluation of those before it. */
export const MAX_EVALUATION_MS = 50;
export const TRIES = 3;
/** For loading it and evaluating everything. */
const TRIAL_MS = 30_000;

/** Beside this file, or beside the bundle of a release. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './trial-worker.ts' : './trial-worker.mjs', import.meta.url);

export type TrialTask = Pick<PolicyBundle, 'wasm' | 'data' | 'revision' | 'canaries'> & {
  readonly trial: NonNullable<PolicyBundle['trial']>;
};
/** What the thread tells, once. */
export type TrialReport = { readonly fault: string | undefined };

/** Throws `failed_precondition` when it cannot be loaded, or takes longer than MAX_EVALUATION_MS, or for all than `timeoutMs`. */
export async function tryApart(bundle: TrialTask, timeoutMs: number = TRIAL_MS): Promise<void> {
  const { wasm, data, revision, canaries, trial } = bundle;
  const workerData: TrialTask = { wasm, data, revision, canaries, trial };
  const worker = new Worker(THREAD, { workerData });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const late = setTimeout(() => resolve(`it was not evaluated on all of them within ${timeoutMs} ms`), timeoutMs);
  worker.on('message', ({ fault }: TrialReport) => resolve(fault));
  worker.on('error', (error) => resolve(`the trial failed: ${(error as Error).message}`));
  worker.on('exit', () => resolve('the trial ended without a word'));
  const fault = await promise;
  clearTimeout(late);
  await worker.terminate();
  if (fault !== undefined) throw new BeaconError('failed_precondition', `the policy bundle cannot be used: ${fault}`);
}
