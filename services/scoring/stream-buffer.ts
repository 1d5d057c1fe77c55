// What a stream has delivered of one log and is not folded yet, by place. Deliveries come twice, late and out of order; each
// is settled when its place is folded, by whomever.

export type Delivered = { readonly index: number; readonly leaf: Uint8Array };

type Settle = { readonly resolve: () => void; readonly reject: (reason: unknown) => void };
type Waiting = { readonly leaf: Uint8Array; readonly settle: Settle[] };

export class StreamBuffer {
  readonly #waiting = new Map<number, Waiting>();

  /** Resolves when the place is folded. */
  add({ index, leaf }: Delivered): Promise<void> {
    return new Promise((resolve, reject) => {
      const known = this.#waiting.get(index);
      if (known) known.settle.push({ resolve, reject });
      else this.#waiting.set(index, { leaf, settle: [{ resolve, reject }] });
    });
  }

  /** The unbroken run that starts at `from`, at most `limit` long. */
  run(from: number, limit: number): Delivered[] {
    const found: Delivered[] = [];
    for (let index = from; found.length < limit; index++) {
      const waiting = this.#waiting.get(index);
      if (!waiting) break;
      found.push({ index, leaf: waiting.leaf });
    }
    return found;
  }

  /** Settles every place below `position`. */
  folded(position: number): void {
    for (const [index, { settle }] of this.#waiting) {
      if (index >= position) continue;
      this.#waiting.delete(index);
      for (const { resolve } of settle) resolve();
    }
  }

  /** Gives everything back; the stream delivers it again later. */
  reject(reason: unknown): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { settle } of all) for (const { reject } of settle) reject(reason);
  }

  /** The lowest place that waits, and the one after the highest; Infinity and 0 when nothing does. */
  bounds(): { readonly first: number; readonly end: number } {
    let first = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const index of this.#waiting.keys()) {
      first = Math.min(first, index);
      end = Math.max(end, index + 1);
    }
    return { first, end };
  }
}
