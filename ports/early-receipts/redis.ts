// One hash for each action, which ends by itself: the decision may never come, because it is void.

import type { EarlyReceipts } from './port.ts';

type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
};

/** As long as the record of an action that has ended. */
const RETENTION_MS = 24 * 3_600_000;

export class RedisEarlyReceipts implements EarlyReceipts {
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async keep(actionId: string, receipts: ReadonlyMap<string, string>): Promise<void> {
    const key = this.#key(actionId);
    await Promise.all([
      this.#door.command('HSET', key, ...[...receipts].flat()),
      this.#door.command('PEXPIRE', key, RETENTION_MS),
    ]);
  }

  async of(actionId: string): Promise<readonly string[]> {
    return (await this.#door.command('HVALS', this.#key(actionId))) as string[];
  }

  async drop(actionId: string): Promise<void> {
    await this.#door.command('DEL', this.#key(actionId));
  }

  #key(actionId: string): string {
    return this.#door.key('early', '', actionId);
  }
}
