// Which claims of this process are still its own to give back. A claim elsewhere ends by itself; so does what is known of it.

export class OwnedClaims {
  readonly #lifeMs: number;
  readonly #now: () => number;
  /** In the order they were made, which is the order they end in. */
  readonly #claims = new Map<string, { readonly owner: string; readonly untilMs: number }>();

  /** `lifeMs`: of every claim, where it was made. `now`: milliseconds that never go back. */
  constructor(lifeMs: number, now: () => number) {
    this.#lifeMs = lifeMs;
    this.#now = now;
  }

  get size(): number {
    return this.#claims.size;
  }

  keep(claim: string, owner: string): void {
    const nowMs = this.#now();
    for (const [ended, { untilMs }] of this.#claims) {
      if (untilMs > nowMs) break;
      this.#claims.delete(ended);
    }
    this.#claims.delete(claim);
    this.#claims.set(claim, { owner, untilMs: nowMs + this.#lifeMs });
  }

  /** Its owner, once; undefined where none is known. */
  take(claim: string): string | undefined {
    const owner = this.#claims.get(claim)?.owner;
    this.#claims.delete(claim);
    return owner;
  }
}
