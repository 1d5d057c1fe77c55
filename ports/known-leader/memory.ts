// The leader in one process's memory, for tests.

import type { KnownLeader, KnownLeaderStore } from './port.ts';

export class MemoryKnownLeader implements KnownLeaderStore {
  #leader: KnownLeader | undefined;

  async load(): Promise<KnownLeader | undefined> {
    return this.#leader;
  }

  async save(leader: KnownLeader): Promise<void> {
    this.#leader = leader;
  }
}
