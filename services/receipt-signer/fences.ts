// What a signer may sign: the lease it holds and the fences it stands behind. Pure state; time is passed in.

import { BeaconError } from '../../core/errors.ts';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';

export type Lease = { readonly term: number; readonly notAfterMs: number };

export type AllowRefusal = 'fenced' | 'no_lease';

export class Fences {
  #lease: Lease = { term: 0, notAfterMs: 0 };
  #epoch = 0;
  /** The highest epoch of any fence, complete or not; nothing granted in ignorance of it is taken. */
  #seen = 0;
  #scopes = new Set<string>();

  get lease(): Lease {
    return this.#lease;
  }

  /** The epoch up to which these fences are complete; 0 before the first lease. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Takes a lease. Returns false, and keeps the old one, when fences of the granted epoch are missing: the grantor then
   * grants again with every scope in force. A lower term or epoch than one already seen is refused.
   */
  grant(lease: Lease, epoch: number, scopesInForce: readonly string[] | undefined): boolean {
    if (lease.term < this.#lease.term) throw new BeaconError('failed_precondition', 'a later lease term was granted');
    if (epoch < Math.max(this.#epoch, this.#seen))
      throw new BeaconError('failed_precondition', 'the epoch is behind this log’s fences');
    if (scopesInForce) {
      this.#scopes = new Set(scopesInForce);
      this.#epoch = epoch;
    } else if (epoch > this.#epoch || this.#epoch === 0) {
      return false;
    }
    this.#lease = lease;
    return true;
  }

  /**
   * Moves a fence; an epoch at or below the present one is a repeat and changes nothing. One that skips an epoch stops
   * its scope, but the fences stay incomplete: what was missed comes with the next lease, and only then is anything
   * reinstated.
   */
  move(scope: string, operation: string, epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#seen = Math.max(this.#seen, epoch);
    const isNext = this.#epoch > 0 && epoch === this.#epoch + 1;
    if (operation === 'revoke') this.#scopes.add(scope);
    else if (isNext) this.#scopes.delete(scope);
    if (isNext) this.#epoch = epoch;
  }

  refuses(scopes: readonly string[], nowMs: number): AllowRefusal | undefined {
    if (!leaseHolds(this.#lease, nowMs)) return 'no_lease';
    return scopes.some((scope) => this.#scopes.has(scope)) ? 'fenced' : undefined;
  }
}

/**
 * Whether an ALLOW signed under this lease may still be answered. A later lease does not make it good: that one may have
 * been granted in knowledge of a revocation which the ALLOW was not.
 */
export function leaseHolds(lease: Lease, nowMs: number): boolean {
  return lease.term > 0 && nowMs < lease.notAfterMs - CLOCK_BOUND_MS;
}
