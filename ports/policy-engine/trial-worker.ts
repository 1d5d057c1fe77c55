// The thread in which a policy is tried. It may hang or end; whoever started it waits only so long.

import { parentPort, workerData } from 'node:worker_threads';
import type { PolicySnapshot } from './port.ts';
import { MAX_EVALUATION_MS, TRIES, type TrialReport, type TrialTask } from './trial.ts';
import { loadSnapshot } from './wasm.ts';

function run({ canaries, trial, ...bundle }: TrialTask): string | undefined {
  try {
    const snapshot = loadSnapshot({ ...bundle, canaries });
    for (const input of [...canaries, ...trial.limited]) {
      if (!inTime(snapshot, input)) return `one evaluation takes more than ${MAX_EVALUATION_MS} ms`;
    }
    for (const input of trial.unlimited) evaluated(snapshot, input);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function inTime(snapshot: PolicySnapshot, input: Uint8Array): boolean {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const began = performance.now();
    evaluated(snapshot, input);
    if (performance.now() - began <= MAX_EVALUATION_MS) return true;
  }
  return false;
}

/** What an evaluation says, or that it fails, is for the canaries and the cases to judge. */
function evaluated(snapshot: PolicySnapshot, input: Uint8Array): void {
  try {
    snapshot.evaluate(input);
  } catch {
    // Judged elsewhere.
  }
}

const report: TrialReport = { fault: run(workerData as TrialTask) };
parentPort?.postMessage(report);
