// The one writer of a log. Jobs queue while a batch is under way; a batch is stamped, appended and synced as one group
// commit; a job's answer leaves only after its bytes are on disk and, for an ALLOW, while its lease still holds.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';
import { type Draft, DraftSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { LedgerRecord, LedgerStore } from '../../ports/ledger-store/port.ts';
import type { SigningKeys } from '../../ports/signing-key/port.ts';
import type { AllowRefusal, Fences, Lease } from './fences.ts';
import { type CheckedDraft, checkDraft, permitEnd, stamp } from './stamp.ts';

/** Most leaves in one group commit. */
export const MAX_BATCH_LEAVES = 512;
/** Most jobs waiting; beyond it a job is shed. */
export const MAX_QUEUED_JOBS = 8_192;
/** Most drafts in one job: they are sealed together or not at all. */
export const MAX_DRAFTS_PER_JOB = 16;

export type SealedLeaf = {
  readonly receiptId: string;
  readonly index: number;
  readonly envelope: Uint8Array;
  readonly sealedAtMs: number;
};

export type Sealed = {
  readonly leaves: readonly SealedLeaf[];
  readonly term: number;
  readonly permitNotAfterMs: number;
  readonly refused: AllowRefusal | '';
};

export type FenceMove = { readonly scope: string; readonly operation: string; readonly epoch: number };

type Job = {
  readonly drafts: readonly CheckedDraft[];
  readonly fence: FenceMove | undefined;
  readonly resolve: (sealed: Sealed) => void;
  readonly reject: (error: unknown) => void;
};

/** `endMs`: when what the job allows must have been answered. */
type Written = { readonly job: Job; readonly sealed: Sealed; readonly endMs: number };

export type WriterDeps = {
  readonly store: LedgerStore;
  readonly keys: SigningKeys;
  readonly fences: Fences;
  readonly now: () => number;
  /** Told after every durable batch. */
  readonly grown: () => void;
};

const NOTHING: Pick<Sealed, 'leaves' | 'term' | 'permitNotAfterMs'> = { leaves: [], term: 0, permitNotAfterMs: 0 };

export class LogWriter {
  readonly #deps: WriterDeps;
  #queue: Job[] = [];
  #underWay: Promise<void> | undefined;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** All drafts become leaves in one group commit, or none does (`refused`, or a thrown error). */
  seal(drafts: readonly Draft[], fence?: FenceMove): Promise<Sealed> {
    if (drafts.length === 0 || drafts.length > MAX_DRAFTS_PER_JOB) {
      throw new BeaconError('invalid_argument', `drafts: must be 1 to ${MAX_DRAFTS_PER_JOB}`, { field: 'drafts' });
    }
    const checked = drafts.map((draft, i) => checkDraft(draft, `drafts[${i}]`));
    if (this.#queue.length >= MAX_QUEUED_JOBS) {
      throw new BeaconError('resource_exhausted', 'too many receipts wait to be sealed', { retryAfterMs: 1_000 });
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ drafts: checked, fence, resolve, reject });
      this.#underWay ??= this.#run();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drain(): Promise<void> {
    while (this.#underWay) await this.#underWay;
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        // What has arrived, or did while the last batch was synced, joins this one instead of waiting for a sync of its own.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#batch();
      }
    } catch (error) {
      // Nobody may wait for ever on a fault of ours.
      for (const job of this.#queue.splice(0)) job.reject(error);
    } finally {
      this.#underWay = undefined;
    }
  }

  async #batch(): Promise<void> {
    const { store, fences, now, grown } = this.#deps;
    const records: LedgerRecord[] = [];
    const written: Written[] = [];
    const first = store.size();
    while (this.#queue.length > 0 && records.length < MAX_BATCH_LEAVES) {
      const job = this.#queue.shift() as Job;
      try {
        const sealed = this.#stampJob(job, first + records.length, records);
        if (sealed.refused === '') written.push({ job, sealed, endMs: allowEnd(sealed, fences.lease) });
        else job.resolve(sealed);
      } catch (error) {
        job.reject(error);
      }
    }
    if (records.length === 0) return;
    try {
      await store.append(records);
    } catch (error) {
      const lost = new BeaconError('unavailable', 'the ledger cannot be written', { cause: error });
      for (const { job } of written) job.reject(lost);
      return;
    }
    const nowMs = now();
    for (const entry of written) {
      if (entry.sealed.term > 0 && nowMs >= entry.endMs) this.#voidLate(entry);
      else entry.job.resolve(entry.sealed);
    }
    // The answers leave first: whoever follows the log can wait.
    setImmediate(grown);
  }

  /** Stamps all drafts of a job and adds them to the batch; adds nothing when the job is refused or throws. */
  #stampJob(job: Job, first: number, records: LedgerRecord[]): Sealed {
    const { store, keys, fences, now } = this.#deps;
    const nowMs = now();
    const allow = job.drafts.find(({ draft }) => draft.allow)?.draft;
    const key = keys.current();
    // The key that signs is known here alone: it may have been rotated since the decision named its scopes.
    const scopes = [...(allow?.scopes ?? []), `key:${key.publicKey.keyId}`];
    const refused = allow ? fences.refuses(scopes, nowMs) : undefined;
    if (refused) return { ...NOTHING, refused };
    const lease: Lease | undefined = allow ? fences.lease : undefined;
    const permitNotAfterMs = allow && lease ? permitEnd(allow, lease) : 0;
    const leaves: SealedLeaf[] = [];
    for (const checked of job.drafts) {
      const index = first + leaves.length;
      const follows = leaves.at(-1)?.receiptId ?? '';
      const at = { logId: store.logId, index, sealedAtMs: nowMs, follows, permitNotAfterMs };
      const { receiptId, envelope } = stamp(checked, { ...at, lease: checked.draft.allow ? lease : undefined }, key);
      leaves.push({ receiptId, index, envelope, sealedAtMs: nowMs });
    }
    job.drafts.forEach(({ draft }, i) => {
      const leaf = (leaves[i] as SealedLeaf).envelope;
      records.push({
        leaf,
        tenantId: draft.tenantId,
        ...(draft.evidence.length > 0 ? { evidence: draft.evidence } : {}),
      });
    });
    // From here on in the log, nothing in the scope is allowed.
    if (job.fence) fences.move(job.fence.scope, job.fence.operation, job.fence.epoch);
    return { leaves, term: lease?.term ?? 0, permitNotAfterMs, refused: '' };
  }

  /** The lease or the permit ended between check and sync: the leaves stay, closed by void leaves, and no ALLOW is answered. */
  #voidLate({ job, sealed }: Written): void {
    const drafts = job.drafts.map(({ draft }, i) =>
      checkDraft(
        create(DraftSchema, {
          kind: 'void',
          actionId: draft.actionId,
          fingerprint: draft.fingerprint,
          tenantId: draft.tenantId,
          predicateJson: Buffer.from(
            JSON.stringify({ voids: sealed.leaves[i]?.receiptId, reason: 'lease_ended', tenant_id: draft.tenantId }),
          ),
        }),
        `voids[${i}]`,
      ),
    );
    const answer = () => job.resolve({ ...NOTHING, refused: 'no_lease' });
    this.#queue.unshift({ drafts, fence: undefined, resolve: answer, reject: job.reject });
  }
}

/** An ALLOW ends with the term it was signed in, whatever was granted since, and with its permit. */
function allowEnd({ permitNotAfterMs }: Sealed, lease: Lease): number {
  return Math.min(permitNotAfterMs, lease.notAfterMs - CLOCK_BOUND_MS);
}
