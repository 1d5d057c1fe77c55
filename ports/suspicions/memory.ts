// Suspicions in one process's memory, for tests.

import { MAX_SUSPICIONS, type Suspicion, type SuspicionStore } from './port.ts';

export class MemorySuspicions implements SuspicionStore {
  readonly #kept = new Map<string, { about: string; dueMs: number }>();

  async keep(suspicions: readonly Suspicion[], untilMs: number): Promise<number> {
    for (const { id, about } of suspicions) this.#kept.set(id, { about, dueMs: untilMs });
    const oldest = [...this.#kept].sort(([, a], [, b]) => a.dueMs - b.dueMs);
    const over = oldest.slice(0, Math.max(0, oldest.length - MAX_SUSPICIONS));
    for (const [id] of over) this.#kept.delete(id);
    return over.length;
  }

  async hold(ids: readonly string[], untilMs: number): Promise<void> {
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept) kept.dueMs = untilMs;
    }
  }

  async claim(nowMs: number, untilMs: number, limit: number): Promise<readonly Suspicion[]> {
    const due = [...this.#kept].filter(([, { dueMs }]) => dueMs <= nowMs).slice(0, limit);
    for (const [, kept] of due) kept.dueMs = untilMs;
    return due.map(([id, { about }]) => ({ id, about }));
  }

  async has(ids: readonly string[]): Promise<boolean> {
    return ids.some((id) => this.#kept.has(id));
  }

  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#kept.delete(id);
  }
}
