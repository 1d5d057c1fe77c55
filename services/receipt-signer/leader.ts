// Which kill switch this signer follows: the latest to lead, of the log it followed first. One that was paused or cut off
// while another took over must neither prolong a lease nor be told that its fence stands; neither must a second kill
// switch with a log of its own. Kept across starts, because a signer that forgot its fences would believe either.

import { BeaconError } from '../../core/errors.ts';
import type { Leader } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { KnownLeader, KnownLeaderStore } from '../../ports/known-leader/port.ts';

export class FollowedLeader {
  readonly #store: KnownLeaderStore | undefined;
  #known: KnownLeader | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Without a store it lasts as long as the process, which is enough where the kill switch ends with it. */
  constructor(store?: KnownLeaderStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    this.#known = await this.#store?.load();
  }

  /** Throws `failed_precondition` for one that is not to be followed. What it allows is durable when it resolves. */
  follow(leader: Leader | undefined): Promise<void> {
    const next = this.#last.catch(() => undefined).then(() => this.#follow(leader));
    this.#last = next;
    return next;
  }

  async #follow(leader: Leader | undefined): Promise<void> {
    const known = this.#known;
    const refuse = (why: string) => new BeaconError('failed_precondition', why);
    if (!leader) {
      if (known) throw refuse('the kill switch does not say with which epoch it leads');
      return;
    }
    const { origin } = leader;
    const epoch = Number(leader.epoch);
    if (known && origin !== known.origin) throw refuse(`another kill switch, with another log, leads: ${known.origin}`);
    if (known && epoch < known.epoch) throw refuse('another kill switch has taken over since');
    if (known?.epoch === epoch) return;
    await this.#store?.save({ origin, epoch });
    this.#known = { origin, epoch };
  }
}
