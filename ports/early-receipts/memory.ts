// Early receipts in one process's memory. For tests.

import type { EarlyReceipts } from './port.ts';

export class MemoryEarlyReceipts implements EarlyReceipts {
  readonly #kept = new Map<string, Map<string, string>>();

  async keep(actionId: string, receipts: ReadonlyMap<string, string>): Promise<void> {
    this.#kept.set(actionId, new Map([...(this.#kept.get(actionId) ?? []), ...receipts]));
  }

  async of(actionId: string): Promise<readonly string[]> {
    return [...(this.#kept.get(actionId)?.values() ?? [])];
  }

  async drop(actionId: string): Promise<void> {
    this.#kept.delete(actionId);
  }
}
