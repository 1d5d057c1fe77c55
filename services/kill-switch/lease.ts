// Keeps every signer's lease alive while the kill-switch lives and leads. A signer that is not reached stops signing
// ALLOWs by the end of its term; so does one whose leases a leader granted that has since been followed by another.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';
import {
  GrantLeaseRequestSchema,
  type Leader,
  type ReceiptSignerService,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import type { RevocationState } from './state.ts';

export type LeasedSigner = Pick<
  Service<typeof ReceiptSignerService, CallContext>,
  'grantLease' | 'fence' | 'getStatus'
>;

/** Longest time between two grants to a signer. */
const RENEW_MS = 1_000;

export type LeaseDeps = {
  readonly signers: readonly LeasedSigner[];
  readonly state: RevocationState;
  readonly now: () => number;
  readonly leaseMs: number;
  readonly context: () => CallContext;
  readonly failed: (error: unknown) => void;
  /** Whether the log is still this kill switch's alone to write. */
  readonly leads: () => Promise<boolean>;
  readonly leader: () => Leader;
};

export class LeaseKeeper {
  readonly #deps: LeaseDeps;
  #timer: NodeJS.Timeout | undefined;
  #term = 0;
  /** Until when leases may run that an earlier leader granted, by this clock. */
  #inheritedEndMs = 0;
  /** End of the last term granted to each signer, by its place in the list. */
  readonly #ends: number[] = [];
  readonly #origins: string[] = [];

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
  }

  /**
   * Before the first grant of a kill switch that follows another. What that one granted last is not known, only how long
   * its leases were; its clock may have been ahead of this one, and so may its terms.
   */
  inherit(leaseMs: number): void {
    const { now } = this.#deps;
    this.#inheritedEndMs = now() + Math.max(leaseMs, this.#deps.leaseMs) + CLOCK_BOUND_MS;
    this.#term = now() + CLOCK_BOUND_MS;
  }

  /** Grants every signer its first lease and renews well before it ends; a signer that comes back has one soon. */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(
      () => {
        this.renew().catch(this.#deps.failed);
      },
      Math.min(this.#deps.leaseMs / 3, RENEW_MS),
    ).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The last term granted to anyone. */
  get term(): number {
    return this.#term;
  }

  /** The signer's log, as it named it when it last took a lease; empty when it never answered. */
  originOf(signer: number): string {
    return this.#origins[signer] ?? '';
  }

  /** When the last term granted to this signer ends, by this clock. */
  endOf(signer: number): number {
    return Math.max(this.#ends[signer] ?? 0, this.#inheritedEndMs);
  }

  async renew(): Promise<void> {
    const { signers, failed, now, leads } = this.#deps;
    // Noted before the question: whoever takes over after its answer outwaits every lease granted on it, however late
    // this process, paused in between, sends it.
    const fromMs = now();
    if (!(await leads())) throw new BeaconError('unavailable', 'another kill switch leads');
    const results = await Promise.allSettled(signers.map((_, i) => this.#grant(i, fromMs)));
    for (const result of results) if (result.status === 'rejected') failed(result.reason);
  }

  async #grant(i: number, fromMs: number): Promise<void> {
    const { state, now, leaseMs, context, leader } = this.#deps;
    const signer = this.#deps.signers[i] as LeasedSigner;
    // Terms grow across restarts too, as long as the clock does.
    const term = Math.max(this.#term + 1, now());
    this.#term = term;
    const notAfterMs = fromMs + leaseMs;
    // Noted before it is sent: a grant whose answer is lost may have been taken.
    this.#ends[i] = Math.max(this.#ends[i] ?? 0, notAfterMs);
    // Read at one moment: a scope reinstated between the two questions must not be lifted under the epoch before.
    const { epoch } = state;
    const scopes = state.inForce().map(({ scope }) => scope);
    const grant = (complete: boolean, knownLeafId = '') =>
      signer.grantLease(
        create(GrantLeaseRequestSchema, {
          term: BigInt(term),
          notAfter: timestampFromMs(notAfterMs),
          countedFrom: timestampFromMs(fromMs),
          epoch: BigInt(epoch),
          complete,
          leader: leader(),
          leafId: state.leafIdAt(epoch),
          knownLeafId,
          revokedScopes: complete ? scopes : [],
        }),
        context(),
      );
    const answer = await grant(false);
    this.#origins[i] = answer.origin;
    if (Number(answer.epoch) >= epoch) return;
    // Said when asked for alone: what a signer was granted last is not known here where its answer was lost.
    const known = Number(answer.knownEpoch);
    await grant(true, known === 0 ? '' : state.leafIdAt(known) || 'none');
  }
}
