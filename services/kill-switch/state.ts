// What the kill-switch's own log says is in force. Rebuilt from the log alone at every start.

import { fold, type RevocationInForce } from '../../core/revocation.ts';

export type RevocationLeaf = RevocationInForce & {
  readonly form: string;
  readonly operation: string;
  readonly receiptId: string;
  readonly actor: string;
  readonly atMs: number;
};

export class RevocationState {
  #inForce: ReadonlyMap<string, RevocationInForce> = new Map();
  #leaves = new Map<string, RevocationLeaf>();
  #unfenced = new Map<string, RevocationLeaf>();
  #epoch = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** Applies one leaf of the log, in log order. */
  apply(leaf: RevocationLeaf): void {
    if (leaf.form === 'barrier') {
      this.#unfenced.delete(leaf.revocationId);
      return;
    }
    if (leaf.epoch <= this.#epoch) return;
    this.#epoch = leaf.epoch;
    this.#inForce = fold(this.#inForce, leaf);
    this.#leaves.set(leaf.revocationId, leaf);
    if (leaf.operation === 'revoke') this.#unfenced.set(leaf.revocationId, leaf);
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

  /** Revocations whose barrier was not recorded: a crash came between. */
  unfenced(): readonly RevocationLeaf[] {
    return [...this.#unfenced.values()];
  }
}
