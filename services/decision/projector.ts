// Follows one log into shared stores. A decision replica records what it sealed at once; this follows behind, so that
// nothing is missing when a replica died in between, and it alone moves the stores' position for its log.

import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import { type ProjectDeps, project } from './project.ts';
import { readView, withoutVoided } from './replay.ts';

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

  constructor(source: ProjectorSource, deps: ProjectDeps, failed: (error: unknown) => void) {
    this.#source = source;
    this.#deps = deps;
    this.#failed = failed;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.follow()
        .catch(this.#failed)
        .finally(() => {
          this.#running = undefined;
        });
    }, FOLLOW_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Projects every leaf up to the log's present size. */
  async follow(): Promise<void> {
    const { actions, idempotency } = this.#deps.stores;
    const { logId } = this.#source;
    const total = this.#source.size();
    let at = Math.min(await actions.position(logId), await idempotency.position(logId));
    while (at < total) {
      const page = await this.#source.scan(at, Math.min(PAGE, total - at));
      if (page.length === 0) return;
      await project(withoutVoided(page.map(readView)), this.#deps);
      at += page.length;
      await actions.advance({ logId, index: at });
      await idempotency.advance({ logId, index: at });
    }
  }
}
