// What may happen once: whoever has the claim looks at the record again, since what was read before the claim may have
// happened between the two.

import { BeaconError } from '../../core/errors.ts';
import type { DecisionDeps } from './deps.ts';

/** Sealed, but not yet where others find it. */
export class Unrecorded extends BeaconError {
  constructor(cause: unknown) {
    super('unavailable', 'what was sealed could not be recorded yet', { cause });
  }
}

export type Claim = {
  readonly take: () => Promise<boolean>;
  readonly giveBack: () => Promise<void>;
  /** Throws what is answered while another has it. */
  readonly taken: () => Promise<never> | never;
};

/** `work` begins by looking. What was sealed and not recorded keeps its claim: others would not see that it has happened. */
export async function once<T>(claim: Claim, { env }: Pick<DecisionDeps, 'env'>, work: () => Promise<T>): Promise<T> {
  if (!(await claim.take())) return claim.taken();
  // It ends by itself where it cannot be given back, which changes nothing of what has happened.
  const giveBack = () => claim.giveBack().catch((error) => env.failed('decision.claim', error));
  try {
    const done = await work();
    await giveBack();
    return done;
  } catch (error) {
    if (!(error instanceof Unrecorded)) await giveBack();
    throw error;
  }
}
