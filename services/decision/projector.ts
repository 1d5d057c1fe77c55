// Follows one log into shared stores. A decision replica records what it sealed at once; this follows behind, so that
// nothing is missing when a replica died in between, and it alone moves the stores' position for its log.

import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import { type ProjectDeps, project } from './project.ts';
import { readView, unrecorded, withoutVoided } from './replay.ts';

const PAGE = 500;
export const FOLLOW_MS = 500;

export type ProjectorSource = {
  readonly logId: string;
  size(): number;
  scan(start: number, limit: number): Promise<StoredRecord[]>;
};

export class Projector {
  readonly #source: ProjectorSource;
  readonly #deps: ProjectDeps;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #asked = false;

  constructor(source: ProjectorSource, deps: ProjectDeps, failed: (error: unknown) => void) {
    this.#source = source;
    this.#deps = deps;
    this.#failed = failed;
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (!this.#running) this.look();
    }, FOLLOW_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#asked = false;
    await this.#running;
  }

  /** Follows now; when it is at it, once more behind. For whoever waits for what the log has by now. */
  look(): void {
    this.#asked = this.#running !== undefined;
    this.#running ??= this.follow()
      .catch(this.#failed)
      .finally(() => {
        this.#running = undefined;
        if (this.#asked) this.look();
      });
  }

  /** Projects every leaf up to the log's present size, but for what has been recorded by whoever sealed it. */
  async follow(): Promise<void> {
    const { stores } = this.#deps;
    const { actions, idempotency } = stores;
    const { logId } = this.#source;
    const total = this.#source.size();
    let at = Math.min(await actions.position(logId), await idempotency.position(logId));
    // So that it is seen below when it is gone.
    if (at === 0) await Promise.all([actions, idempotency].map((store) => store.advance({ logId, index: 0 })));
    while (at < total) {
      const page = await this.#source.scan(at, Math.min(PAGE, total - at));
      if (page.length === 0) return;
      const missing = await unrecorded(page, logId, stores);
      if (missing.length > 0) await project(withoutVoided(missing.map(readView)), this.#deps);
      const next = { logId, index: at + page.length };
      // Stores that were emptied or set back on the way have lost what was found or written there: once more, from where they are.
      if (!(await actions.advanceFrom(at, next)) || !(await idempotency.advanceFrom(at, next))) return;
      at = next.index;
    }
  }
}
