// What a new policy has to pass before it decides: the cases its bundle carries, and a comparison with the policy before it
// on inputs of real decisions. Only counts leave here; no input does.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { caseFault, type PolicyCase } from '../../core/policy-cases.ts';
import { PolicyRefused } from '../../core/policy-manifest.ts';
import { deny, ROUTES, readVerdict, type Verdict } from '../../core/route.ts';
import type { PolicyEngine, PolicySnapshot } from '../../ports/policy-engine/port.ts';

/** Evaluated without a pause; decisions go on between. */
const SLICE_MS = 10;
const MAX_RECENT = 256;
const MAX_RECENT_INPUT_BYTES = 16_384;
/** Once full, one input of so many takes the place of the oldest: a burst of one caller does not fill it. */
const TAKE_ONE_OF = 16;

export type Rehearsal = {
  /** How many cases the bundle carries; all passed. */
  readonly cases: number;
  readonly canary: {
    /** Inputs that both policies evaluated. */
    readonly inputs: number;
    /** Of them: decided more mildly, more strictly by the new one. */
    readonly milder: number;
    readonly stricter: number;
    /** How many changed, by `OLD>NEW` route. */
    readonly routes: Readonly<Record<string, number>>;
  };
};

export type RehearsalInputs = { readonly cases: readonly PolicyCase[]; readonly canaries: readonly Uint8Array[] };

/**
 * Throws PolicyRefused: `failed_case` when a case is not decided as it says; `failed_canary` when `next` gives no verdict
 * on an input on which `before` gives one.
 */
export async function rehearse(
  next: PolicySnapshot,
  before: PolicySnapshot,
  { cases, canaries }: RehearsalInputs,
): Promise<Rehearsal> {
  const failed: string[] = [];
  const rest = slices();
  for (const one of cases) {
    const fault = caseFault(one, verdictOf(next, one.input));
    if (fault !== undefined) failed.push(`${one.name} (${fault})`);
    await rest();
  }
  if (failed.length > 0) {
    throw new PolicyRefused(
      'failed_case',
      `cases that fail: ${failed.length} of ${cases.length}, the first: ${failed[0]}`,
    );
  }
  return { cases: cases.length, canary: await compare(next, before, canaries) };
}

async function compare(next: PolicySnapshot, before: PolicySnapshot, inputs: readonly Uint8Array[]) {
  const routes: Record<string, number> = {};
  let milder = 0;
  let stricter = 0;
  const rest = slices();
  for (const input of inputs) {
    const was = verdictOf(before, input);
    const is = verdictOf(next, input);
    // What no policy can judge is no reason to refuse this one: an agent may have proposed it to keep it out.
    if (!given(is) && given(was)) {
      throw new PolicyRefused('failed_canary', 'it gives no verdict on an input that the active policy decides');
    }
    const change = ROUTES.indexOf(is.route) - ROUTES.indexOf(was.route);
    if (change !== 0) {
      const name = `${was.route}>${is.route}`;
      routes[name] = (routes[name] ?? 0) + 1;
      if (change < 0) milder += 1;
      else stricter += 1;
    }
    await rest();
  }
  return { inputs: inputs.length, milder, stricter, routes };
}

/** Lets others have their turn once a slice has been used up. */
function slices(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < SLICE_MS) return;
    await nextTurn();
    began = performance.now();
  };
}

/** A policy's own verdict, not what is put in its place. */
function given(verdict: Verdict): boolean {
  return verdict.reasons.every(({ rule }) => rule !== 'beacon.builtin');
}

function verdictOf(policy: PolicySnapshot, input: Uint8Array): Verdict {
  try {
    return readVerdict(policy.evaluate(input));
  } catch {
    return deny('policy_error', 'The policy could not be evaluated.');
  }
}

/** Copies of inputs lately evaluated, in memory alone. */
export class RecentInputs {
  readonly #inputs: Uint8Array[] = [];
  #seen = 0;
  #oldest = 0;

  add(input: Uint8Array): void {
    this.#seen += 1;
    const full = this.#inputs.length === MAX_RECENT;
    if ((full && this.#seen % TAKE_ONE_OF !== 0) || input.length > MAX_RECENT_INPUT_BYTES) return;
    this.#inputs[full ? this.#oldest : this.#inputs.length] = input.slice();
    if (full) this.#oldest = (this.#oldest + 1) % MAX_RECENT;
  }

  all(): readonly Uint8Array[] {
    return [...this.#inputs];
  }
}

/** The same engine; what is evaluated on its snapshot is remembered. */
export function remembering(engine: PolicyEngine, recent: RecentInputs): PolicyEngine {
  let inner: PolicySnapshot | undefined;
  let outer: PolicySnapshot | undefined;
  return {
    snapshot() {
      const snapshot = engine.snapshot();
      if (outer && snapshot === inner) return outer;
      inner = snapshot;
      const { digest, revision, expiresAtMs } = snapshot;
      const evaluate = (input: Uint8Array) => {
        recent.add(input);
        return snapshot.evaluate(input);
      };
      outer = { digest, revision, expiresAtMs, evaluate };
      return outer;
    },
    activate: (bundle, beforeSwap) => engine.activate(bundle, beforeSwap),
  };
}
