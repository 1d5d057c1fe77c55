// The kill-switch's log as a proof reads it: which change a revocation was, when its barrier was reached and over which
// logs, and what reinstated the scope. Every leaf's signature is checked.

import type { PublicKey } from '../jwk.ts';
import type { Receipt } from '../receipt.ts';
import { verifyReceipt } from '../verify.ts';
import { VerifyError } from '../verify-error.ts';
import { KillProofError } from './codes.ts';

/** How the kill-switch says a signer's log was stopped. */
export type Ended = { readonly origin: string; readonly fenceIndex: number | undefined };

export type Stop = {
  readonly revocationId: string;
  readonly scope: string;
  readonly operation: string;
  readonly epoch: number;
  readonly sealedAtMs: number;
  /** `logs` is undefined in barriers that do not say how they were reached (0.1.0). */
  readonly barrier: { readonly sealedAtMs: number; readonly logs: readonly Ended[] | undefined };
  /** What took this revocation back. Leases of a term after `afterTerm` were granted when it already had. */
  readonly lifted: { readonly epoch: number; readonly afterTerm: number | undefined } | undefined;
};

type Change = { readonly index: number; readonly receipt: Receipt; readonly epoch: number; readonly form: string };

export class Changes {
  readonly #keys: readonly PublicKey[];
  readonly #changes: Change[] = [];
  #epoch = 0;

  constructor(keys: readonly PublicKey[]) {
    this.#keys = keys;
  }

  leaf(envelope: Uint8Array, logId: string, index: number): void {
    const receipt = verifyReceipt(envelope, this.#keys);
    requirePlace(receipt, logId, index);
    if (receipt.kind !== 'revocation') return;
    const { form, epoch } = receipt.predicate;
    if (!Number.isSafeInteger(epoch) || typeof form !== 'string')
      throw new VerifyError('malformed', 'a change without epoch');
    if (form !== 'barrier') {
      if ((epoch as number) <= this.#epoch)
        throw new VerifyError('out_of_order', 'the epochs of the kill-switch’s log do not grow');
      this.#epoch = epoch as number;
    }
    this.#changes.push({ index, receipt, epoch: epoch as number, form });
  }

  /** Throws `unknown_revocation`, `not_a_stop` or `no_barrier`. */
  stop(revocationId: string): Stop {
    const named = this.#changes.filter(({ receipt }) => receipt.predicate.revocation_id === revocationId);
    const change = named.find(({ form }) => form === 'revocation');
    if (!change) throw new KillProofError('unknown_revocation', `no ${revocationId} in the kill-switch’s log`);
    const { scope, operation } = change.receipt.predicate;
    if (operation !== 'revoke' || typeof scope !== 'string') {
      throw new KillProofError('not_a_stop', `${revocationId} stops nothing: its operation is ${operation}`);
    }
    const barrier = named.find(
      ({ form, index, epoch }) => form === 'barrier' && index > change.index && epoch === change.epoch,
    );
    if (!barrier)
      throw new KillProofError('no_barrier', 'the kill-switch’s log does not say that the barrier was reached');
    const lifted = this.#changes.find(
      ({ form, epoch, receipt: { predicate } }) =>
        form === 'revocation' &&
        epoch > change.epoch &&
        predicate.scope === scope &&
        predicate.operation === 'reinstate',
    );
    const afterTerm = lifted?.receipt.predicate.after_term;
    return {
      revocationId,
      scope,
      operation,
      epoch: change.epoch,
      sealedAtMs: Date.parse(change.receipt.sealedAt),
      barrier: { sealedAtMs: Date.parse(barrier.receipt.sealedAt), logs: endedOf(barrier.receipt.predicate.logs) },
      lifted: lifted && { epoch: lifted.epoch, afterTerm: isTerm(afterTerm) ? afterTerm : undefined },
    };
  }
}

/** A receipt stands where it says it stands: the same bytes elsewhere would be a second receipt under one name. */
export function requirePlace(receipt: Receipt, logId: string, index: number): void {
  if (receipt.logId === logId && receipt.index === index) return;
  throw new VerifyError('not_included', `${receipt.receiptId} stands at ${index} of log ${logId}`);
}

function endedOf(logs: unknown): Ended[] | undefined {
  if (logs === undefined) return undefined;
  if (!Array.isArray(logs)) throw new VerifyError('malformed', 'a barrier’s logs are not a list');
  return logs.map((log) => {
    const { origin, fence_index } = (log ?? {}) as Record<string, unknown>;
    if (typeof origin !== 'string') throw new VerifyError('malformed', 'a barrier’s log has no origin');
    return { origin, fenceIndex: typeof fence_index === 'number' ? fence_index : undefined };
  });
}

function isTerm(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
