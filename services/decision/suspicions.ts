// What this replica suspects, kept where another finds it: saved as it comes up, held while this one lives, taken over
// from replicas that are gone. A suspicion is only ever worked at by one, as long as that one is awake.

import type { SuspicionStore } from '../../ports/suspicions/port.ts';

/** How often what is held is held on to, and what nobody holds is looked for. */
const TICK_MS = 1_000;
/** How long a replica may be silent before its suspicions are another's. */
const HOLD_MS = 10_000;
const CLAIM_LIMIT = 256;

export type SuspicionDeps = {
  readonly store: SuspicionStore;
  readonly now: () => number;
  /** Takes one up that another replica left; false to leave it for later. */
  readonly adopt: (id: string, about: unknown) => boolean;
  readonly failed: (event: string, error: unknown) => void;
};

export class Suspicions {
  readonly #deps: SuspicionDeps;
  readonly #mine = new Map<string, string>();
  readonly #unsaved = new Set<string>();
  readonly #ended = new Set<string>();
  #saving: Promise<void> | undefined;
  #ticking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: SuspicionDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#ticking ??= this.tick()
        .catch((error) => this.#deps.failed('suspicions.failed', error))
        .finally(() => {
          this.#ticking = undefined;
        });
    }, TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Saved at once, and again until that worked. */
  keep(id: string, about: unknown): void {
    this.#mine.set(id, JSON.stringify(about));
    this.#unsaved.add(id);
    this.#ended.delete(id);
    this.save().catch((error) => this.#deps.failed('suspicions.failed', error));
  }

  drop(id: string): void {
    if (!this.#mine.delete(id)) return;
    this.#unsaved.delete(id);
    this.#ended.add(id);
  }

  /** Resolves when everything kept so far is where another replica finds it. */
  async save(): Promise<void> {
    while (this.#saving) await this.#saving;
    if (this.#unsaved.size === 0) return;
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async tick(): Promise<void> {
    const { store, now, adopt, failed } = this.#deps;
    await this.save();
    const ended = [...this.#ended];
    if (ended.length > 0) await store.drop(ended);
    for (const id of ended) this.#ended.delete(id);
    if (this.#mine.size > 0) await store.hold([...this.#mine.keys()], now() + HOLD_MS);
    for (const { id, about } of await store.claim(now(), now() + HOLD_MS, CLAIM_LIMIT)) {
      if (this.#mine.has(id)) continue;
      try {
        if (adopt(id, JSON.parse(about))) this.#mine.set(id, about);
      } catch (error) {
        failed('suspicions.unreadable', error);
        this.#ended.add(id);
      }
    }
  }

  async #save(): Promise<void> {
    const { store, now, failed } = this.#deps;
    const ids = [...this.#unsaved];
    const suspicions = ids.map((id) => ({ id, about: this.#mine.get(id) as string }));
    const lost = await store.keep(suspicions, now() + HOLD_MS);
    for (const id of ids) this.#unsaved.delete(id);
    if (lost > 0) failed('suspicions.lost', new Error(`${lost} suspicions were given up: there are too many`));
  }
}
