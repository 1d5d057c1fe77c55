// What cannot all be true though each verifies alone: a signer that signed two receipts of one id, or showed two trees of
// one size. Who holds both holds the proof of it, and is told.

import type { Receipt } from './receipt.ts';
import type { Inclusion } from './verify.ts';
import { VerifyError } from './verify-error.ts';

export type Verified = { readonly receipt: Receipt; readonly inclusion?: Inclusion };

/** For each in its place why it and another cannot both be true; undefined where nothing says so. */
export function contradictions(all: readonly (Verified | undefined)[]): readonly (VerifyError | undefined)[] {
  const receipts = new Claims();
  const trees = new Claims();
  for (const verified of all) {
    if (!verified) continue;
    receipts.add(verified.receipt.receiptId, verified.receipt.envelope);
    if (verified.inclusion) trees.add(treeOf(verified.inclusion), verified.inclusion.checkpoint.root);
  }
  return all.map((verified) => {
    if (!verified) return undefined;
    const { receipt, inclusion } = verified;
    if (receipts.isDisputed(receipt.receiptId)) {
      return new VerifyError('inconsistent', `another receipt is ${receipt.receiptId} too: its signer signed both`);
    }
    if (inclusion && trees.isDisputed(treeOf(inclusion))) {
      const { origin, size } = inclusion.checkpoint;
      return new VerifyError('inconsistent', `${origin} shows another tree of ${size} leaves too`);
    }
    return undefined;
  });
}

function treeOf({ checkpoint }: Inclusion): string {
  return `${checkpoint.origin}\n${checkpoint.size}`;
}

/** What is said under each name. */
class Claims {
  readonly #said = new Map<string, string>();
  readonly #disputed = new Set<string>();

  add(name: string, bytes: Uint8Array): void {
    const said = Buffer.from(bytes).toString('base64');
    if ((this.#said.get(name) ?? said) !== said) this.#disputed.add(name);
    this.#said.set(name, said);
  }

  isDisputed(name: string): boolean {
    return this.#disputed.has(name);
  }
}
