// Which kill switch this signer follows: the latest to lead, of the log it followed first. One that was paused or cut off
// while another took over must neither prolong a lease nor be told that its fence stands; neither must a second kill
// switch with a log of its own, nor one whose log was put back to an older copy. Kept across starts, because a signer that
// forgot its fences would believe either.

import { BeaconError } from '../../core/errors.ts';
import type { GrantLeaseRequest, Leader } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { KnownLeader, KnownLeaderStore } from '../../ports/known-leader/port.ts';

type GrantedOn = Pick<GrantLeaseRequest, 'leader' | 'epoch' | 'leafId' | 'knownLeafId'>;

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

  /** The highest epoch at which a lease was granted, in this process or before; 0 for none. */
  get knownEpoch(): number {
    return this.#known?.granted?.epoch ?? 0;
  }

  /**
   * As `follow`, for who grants a lease: its log must hold the leaf on which the last one was granted, or it is another
   * history, in which something may not be revoked. False when it does not say: it is to ask again with that leaf's id.
   */
  grantedBy(request: GrantedOn): Promise<boolean> {
    const next = this.#last
      .catch(() => undefined)
      .then(async () => {
        await this.#follow(request.leader);
        return this.#continues(request);
      });
    this.#last = next.then(
      () => undefined,
      () => undefined,
    );
    return next;
  }

  async #continues({ epoch: at, leafId, knownLeafId }: GrantedOn): Promise<boolean> {
    const known = this.#known;
    const epoch = Number(at);
    const granted = known?.granted;
    if (!known || (granted?.epoch === epoch && granted.leafId === leafId)) return true;
    if (granted) {
      // The next question brings what is missing.
      if (knownLeafId === '' && leafId !== '' && epoch > granted.epoch) return false;
      if (knownLeafId !== granted.leafId || leafId === '' || epoch <= granted.epoch) {
        const why = `a lease was granted at epoch ${granted.epoch}: this grant is late, or the kill-switch’s log is an older copy`;
        throw new BeaconError('failed_precondition', why);
      }
    }
    if (leafId === '') return true;
    const next = { ...known, granted: { epoch, leafId } };
    await this.#store?.save(next);
    this.#known = next;
    return true;
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
    const next = { ...known, origin, epoch };
    await this.#store?.save(next);
    this.#known = next;
  }
}
