// What the kill-switch's own log says is in force. Rebuilt from the log alone at every start.

import { CLOCK_BOUND_MS, fold, type RevocationInForce } from '../../core/revocation.ts';
import type { LogFence } from '../../gen/beacon/v1/kill_switch_service_pb.js';

export type RevocationLeaf = RevocationInForce & {
  readonly form: string;
  readonly operation: string;
  readonly receiptId: string;
  readonly actor: string;
  readonly atMs: number;
  /** Of the request that asked for it; empty for none. */
  readonly requestId: string;
  /** Keyed digest of the reason given; empty for none. */
  readonly reasonDigest: string;
  /** How long the leases were that this leader granted; 0 in leaves that do not begin a leader's time. */
  readonly leaseMs: number;
  /** Of the signers whom this leader leases, keyed digests of their names; undefined in leaves that do not say. */
  readonly signers: readonly string[] | undefined;
  /** In a barrier's leaf: how each log was stopped. */
  readonly logs: readonly LogFence[];
};

export class RevocationState {
  #inForce: ReadonlyMap<string, RevocationInForce> = new Map();
  #leaves = new Map<string, RevocationLeaf>();
  #unfenced = new Map<string, RevocationLeaf>();
  #byRequest = new Map<string, RevocationLeaf>();
  #barriers = new Map<string, RevocationLeaf>();
  #leaseMs = 0;
  #signers: readonly string[] = [];
  /** Signers that a later leader was not told of, by when the last lease of theirs has ended. */
  readonly #former = new Map<string, number>();
  readonly #idsByEpoch = new Map<number, string>();
  #epoch = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** How long the leases of the last leader were; 0 when its log does not say. */
  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** Applies one leaf of the log, in log order. */
  apply(leaf: RevocationLeaf): void {
    if (leaf.form === 'barrier') {
      this.#unfenced.delete(leaf.revocationId);
      this.#barriers.set(leaf.revocationId, leaf);
      return;
    }
    if (leaf.epoch <= this.#epoch) return;
    this.#epoch = leaf.epoch;
    this.#idsByEpoch.set(leaf.epoch, leaf.revocationId);
    if (leaf.leaseMs > 0) this.#leads(leaf);
    if (leaf.requestId !== '') this.#byRequest.set(leaf.requestId, leaf);
    this.#inForce = fold(this.#inForce, leaf);
    this.#leaves.set(leaf.revocationId, leaf);
    if (leaf.operation === 'revoke') this.#unfenced.set(leaf.revocationId, leaf);
  }

  /** When the leases end of signers that an earlier leader leased and the last one knows nothing of. */
  formerLeaseEnds(): readonly number[] {
    return [...this.#former.values()];
  }

  inForce(): readonly RevocationInForce[] {
    return [...this.#inForce.values()];
  }

  find(scope: string): RevocationInForce | undefined {
    return this.#inForce.get(scope);
  }

  leaf(revocationId: string): RevocationLeaf | undefined {
    return this.#leaves.get(revocationId);
  }

  /** Revocation id of the leaf that made this epoch; empty where there is none. */
  leafIdAt(epoch: number): string {
    return this.#idsByEpoch.get(epoch) ?? '';
  }

  /** The change that this request led to before. */
  asked(requestId: string): RevocationLeaf | undefined {
    return this.#byRequest.get(requestId);
  }

  /** Whether the scope has been changed back since: what was answered for this change no longer holds. */
  isUndone({ scope, operation, epoch }: RevocationLeaf): boolean {
    const opposite = operation === 'revoke' ? 'reinstate' : 'revoke';
    for (const later of this.#leaves.values()) {
      if (later.epoch > epoch && later.scope === scope && later.operation === opposite) return true;
    }
    return false;
  }

  /** When and how the logs were stopped for this change; undefined before its barrier. */
  barrierOf(revocationId: string): RevocationLeaf | undefined {
    return this.#barriers.get(revocationId);
  }

  /** Revocations whose barrier was not recorded: a crash came between. */
  unfenced(): readonly RevocationLeaf[] {
    return [...this.#unfenced.values()];
  }

  /** Whoever led before granted nothing on a word of its log that is later than this leaf. */
  #leads({ leaseMs, signers, atMs }: RevocationLeaf): void {
    const endMs = atMs + Math.max(this.#leaseMs, leaseMs) + CLOCK_BOUND_MS;
    for (const name of signers ? this.#signers : []) this.#former.set(name, endMs);
    for (const name of signers ?? []) this.#former.delete(name);
    this.#signers = signers ?? [];
    this.#leaseMs = leaseMs;
  }
}
