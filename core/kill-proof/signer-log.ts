// One signer's log as a proof reads it: the fence, and every ALLOW in the revoked scope that stands where none may stand.
// Keeps only what could be a fault, so that the length of the log does not matter.

import type { PublicKey } from '../jwk.ts';
import { type Receipt, readReceipt } from '../receipt.ts';
import { scopesOf } from '../revocation.ts';
import { runs } from '../route.ts';
import { verifyReceipt } from '../verify.ts';
import { VerifyError } from '../verify-error.ts';
import { requirePlace, type Stop } from './changes.ts';
import { type KillCode, KillProofError } from './codes.ts';

/** Permits that ended longer than this before the revocation open nothing after it, whatever the clocks say. */
const PERMIT_SLACK_MS = 60_000;

type Lease = NonNullable<Receipt['lease']>;

export type SignerFinding = {
  readonly origin: string;
  /** How many leaves were read, and when the last was sealed: what came after is not said. */
  readonly leaves: number;
  readonly last_sealed_at: string | null;
  /** Null where the end of the last lease stands for the fence. */
  readonly fence_index: number | null;
  /** ALLOWs in the scope before the fence, and the index of the last of them. */
  readonly allows_before: number;
  readonly last_allow_index: number | null;
  /** Receipt ids. Voided ones were never answered. */
  readonly allows_after_in_scope: readonly string[];
  readonly voided: readonly string[];
};

type Suspect = {
  readonly actionId: string;
  readonly fault: 'allow_behind_fence' | 'opened_behind_fence' | 'lease_ended' | 'no_fence';
  /** An opened action is one only if the permit it was opened on was of the scope. */
  readonly opened?: true;
  /** The only fault is a lease that outlives the barrier, which the fence that the barrier names makes good. */
  readonly unlessFenced?: true;
  voided: boolean;
};

export class SignerLog {
  readonly #origin: string;
  readonly #stop: Stop;
  readonly #keys: readonly PublicKey[];
  readonly #suspects = new Map<string, Suspect>();
  readonly #stopped = new Set<string>();
  #fenceAt: number | undefined;
  #liftedAt: number | undefined;
  #wrongFence: string | undefined;
  #firstSealedAtMs = Number.NaN;
  #lastSealedAt: string | undefined;
  #leaves = 0;
  #before = 0;
  #lastBefore: number | undefined;

  constructor(origin: string, stop: Stop, keys: readonly PublicKey[]) {
    this.#origin = origin;
    this.#stop = stop;
    this.#keys = keys;
  }

  /** Throws VerifyError for a leaf that is no receipt, stands elsewhere than it says, or matters and is not signed. */
  leaf(envelope: Uint8Array, logId: string, index: number): void {
    const receipt = readReceipt(envelope);
    requirePlace(receipt, logId, index);
    if (index === 0) this.#firstSealedAtMs = Date.parse(receipt.sealedAt);
    this.#leaves = index + 1;
    this.#lastSealedAt = receipt.sealedAt;
    if (receipt.kind === 'revocation') this.#fence(verifyReceipt(envelope, this.#keys));
    else if (receipt.kind === 'decision' && runs(receipt.route ?? 'DENY')) this.#allow(receipt);
    else if (receipt.kind === 'action' && receipt.lease) this.#opened(receipt);
    else if (receipt.kind === 'void') this.#void(receipt);
  }

  get origin(): string {
    return this.#origin;
  }

  /** Actions this log allowed in the scope, whose permits may still have been opened after the revocation. */
  stoppedActions(): ReadonlySet<string> {
    return this.#stopped;
  }

  finding(stopped: ReadonlySet<string>): SignerFinding {
    const found = [...this.#suspects].filter(([, suspect]) => this.#isFault(suspect, stopped));
    return {
      origin: this.#origin,
      leaves: this.#leaves,
      last_sealed_at: this.#lastSealedAt ?? null,
      fence_index: this.#fenceAt ?? null,
      allows_before: this.#before,
      last_allow_index: this.#lastBefore ?? null,
      allows_after_in_scope: found.filter(([, { voided }]) => !voided).map(([id]) => id),
      voided: found.filter(([, { voided }]) => voided).map(([id]) => id),
    };
  }

  /** Throws KillProofError for the first fault of this log. */
  judge(stopped: ReadonlySet<string>): void {
    if (this.#wrongFence !== undefined) throw this.#not('wrong_fence', this.#wrongFence);
    const said = this.#said();
    if (said?.fenceIndex !== undefined && said.fenceIndex !== this.#fenceAt) {
      if (this.#fenceAt === undefined) throw this.#not('no_fence', `there is none at ${said.fenceIndex}`);
      // A fence can be written again after a crash; the barrier names the one it was told of, never an earlier one.
      if (said.fenceIndex < this.#fenceAt) throw this.#not('wrong_fence', `it is not at ${said.fenceIndex}`);
    }
    for (const [id, suspect] of this.#suspects) {
      if (suspect.voided || !this.#isFault(suspect, stopped)) continue;
      throw this.#not(suspect.fault, `${id} is allowed in ${this.#stop.scope}`);
    }
    if (this.#fenceAt === undefined && said === undefined && !this.#isYounger()) {
      throw this.#not('no_fence', 'and the barrier does not name the log');
    }
  }

  /** A signer that never told its origin can only have been stopped by the end of its lease. */
  #said() {
    const { logs } = this.#stop.barrier;
    return logs?.find(({ origin }) => origin === this.#origin) ?? logs?.find(({ origin }) => origin === '');
  }

  /** Whether this may be a log that the barrier stopped and could not name. */
  get mayBeUnnamed(): boolean {
    const { logs = [] } = this.#stop.barrier;
    return !this.#isYounger() && !logs.some(({ origin }) => origin === this.#origin);
  }

  #isFault({ opened, unlessFenced, actionId }: Suspect, stopped: ReadonlySet<string>): boolean {
    if (opened && !stopped.has(actionId)) return false;
    return !unlessFenced || !this.#isFenced();
  }

  /** Where the barrier counted on the end of a lease, a fence in that log may have come after it. */
  #isFenced(): boolean {
    if (this.#fenceAt === undefined) return false;
    return this.#stop.barrier.logs === undefined || this.#said()?.fenceIndex !== undefined;
  }

  /** A log that began after the barrier: its signer got its first lease together with every scope in force. */
  #isYounger(): boolean {
    const { logs, sealedAtMs } = this.#stop.barrier;
    return logs !== undefined && !(this.#firstSealedAtMs <= sealedAtMs);
  }

  #fence({ predicate, index }: Receipt): void {
    const { revocationId, scope, epoch, lifted } = this.#stop;
    if (predicate.form !== 'fence') return;
    if (predicate.revocation_id === revocationId) {
      const same = predicate.scope === scope && predicate.epoch === epoch && predicate.operation === 'revoke';
      if (same) this.#fenceAt ??= index;
      else
        this.#wrongFence ??= `leaf ${index} fences ${predicate.operation} ${predicate.scope} at epoch ${predicate.epoch}`;
    } else if (predicate.scope === scope && predicate.operation === 'reinstate' && predicate.epoch === lifted?.epoch) {
      this.#liftedAt ??= index;
    }
  }

  #allow(claimed: Receipt): void {
    if (!scopesOf(factsOf(claimed)).includes(this.#stop.scope)) return;
    const { receiptId, actionId, index, sealedAt, lease, permit, envelope } = claimed;
    if (!lease || !permit) throw new VerifyError('malformed', `${receiptId} allows without lease or permit`);
    verifyReceipt(envelope, this.#keys);
    if (Date.parse(permit.not_after) >= this.#stop.sealedAtMs - PERMIT_SLACK_MS) this.#stopped.add(actionId);
    if (this.#isLifted(index, lease.term)) return;
    if (this.#fenceAt === undefined) {
      this.#before += 1;
      this.#lastBefore = index;
    }
    const why = this.#suspicion(sealedAt, lease, { behind: 'allow_behind_fence', outliving: 'no_fence' });
    if (why) this.#suspects.set(receiptId, { actionId, ...why, voided: false });
  }

  #opened({ receiptId, actionId, index, sealedAt, lease, envelope }: Receipt): void {
    if (!lease || this.#isLifted(index, lease.term)) return;
    const faults = { behind: 'opened_behind_fence', outliving: 'opened_behind_fence' } as const;
    const why = this.#suspicion(sealedAt, lease, faults);
    if (!why) return;
    verifyReceipt(envelope, this.#keys);
    this.#suspects.set(receiptId, { actionId, opened: true, ...why, voided: false });
  }

  #suspicion(
    sealedAt: string,
    lease: Lease,
    faults: Readonly<Record<'behind' | 'outliving', Suspect['fault']>>,
  ): Pick<Suspect, 'fault' | 'unlessFenced'> | undefined {
    const leaseEndMs = Date.parse(lease.not_after);
    if (this.#fenceAt !== undefined) return { fault: faults.behind };
    if (Date.parse(sealedAt) >= leaseEndMs) return { fault: 'lease_ended' };
    if (leaseEndMs > this.#stop.barrier.sealedAtMs) return { fault: faults.outliving, unlessFenced: true };
    return undefined;
  }

  #void({ predicate, envelope }: Receipt): void {
    const suspect = this.#suspects.get(String(predicate.voids));
    if (!suspect) return;
    verifyReceipt(envelope, this.#keys);
    suspect.voided = true;
  }

  /** Behind the fence that reinstates, or under a lease that was granted when the scope had been reinstated. */
  #isLifted(index: number, term: number): boolean {
    if (this.#liftedAt !== undefined && index > this.#liftedAt) return true;
    const afterTerm = this.#stop.lifted?.afterTerm;
    return afterTerm !== undefined && term > afterTerm;
  }

  #not(code: KillCode, message: string): KillProofError {
    return new KillProofError(code, `${this.#origin}: ${message}`);
  }
}

/** What an ALLOW says of itself. One that does not say enough to be placed could be in any scope, so it is refused. */
function factsOf({ receiptId, predicate, keyId, permit }: Receipt): Parameters<typeof scopesOf>[0] {
  const { tenant_id, agent_id, session_id = '', client_provenance, tools, policy } = predicate;
  const digest = (policy as { digest?: unknown } | undefined)?.digest;
  const texts = [tenant_id, agent_id, session_id, client_provenance, digest];
  if (!texts.every((text) => typeof text === 'string') || !Array.isArray(tools)) {
    throw new VerifyError('malformed', `${receiptId} does not say which scopes it falls under`);
  }
  return {
    tenantId: tenant_id as string,
    agentId: agent_id as string,
    sessionId: session_id as string,
    provenance: client_provenance as Parameters<typeof scopesOf>[0]['provenance'],
    tools: tools as string[],
    policyDigest: digest as string,
    keyId,
    permitId: permit?.id ?? '',
  };
}
