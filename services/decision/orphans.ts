// Receipts that a signer may have sealed although nobody was answered with them. What was sent and not answered is
// remembered, beyond the life of this process where there is a keeper; when its signer is back, its log is read from there
// on, and each such receipt is closed by a `void` leaf.

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { sha256Hex } from '../../core/canonical-json.ts';
import { parseReceiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import {
  type Draft,
  DraftSchema,
  ListReceiptsRequestSchema,
  type ReceiptSignerService,
  SealRequestSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';

/** Most requests remembered for one signer; beyond it the oldest is given up, and told. */
export const MAX_SUSPECTS = 65_536;
const SCAN_PAGE = 1_000;
/** As many as a signer takes in one job. */
const VOIDS_PER_JOB = 16;
const SIGNER_FIELDS = ['receipt_id', 'sealed_at', 'follows', 'lease', 'permit'];

export type OrphanSigner = Pick<Service<typeof ReceiptSignerService, CallContext>, 'seal' | 'listReceipts'>;

export type OrphanDeps = {
  readonly signer: OrphanSigner;
  /** How long a signer must have been well again before what is not in its log cannot come any more. */
  readonly settleMs: number;
  readonly now: () => number;
  readonly context: () => CallContext;
  /** Told for each receipt that was voided. */
  readonly voided: () => void;
  /** Told of a suspect given up because there were too many. */
  readonly lost: () => void;
  /** Where what is remembered here outlives this process. */
  readonly keeper?: OrphanKeeper;
};

/** As it is kept: of a request that may have been sealed, or a void that is owed. */
export type KeptOrphan =
  | { readonly kind: 'sealed'; readonly marks: readonly string[]; readonly from: number }
  | { readonly kind: 'owed'; readonly draft: string };

export type OrphanKeeper = { keep(id: string, about: KeptOrphan): void; drop(id: string): void };

type Suspect = {
  readonly id: string;
  /** Of each draft, in order. */
  readonly marks: readonly string[];
  fromIndex: number;
  /** When the log was first read to its end since the signer is well; undefined before. */
  firstReadMs: number | undefined;
};

export class Orphans {
  readonly #deps: OrphanDeps;
  readonly #suspects = new Set<Suspect>();
  /** By the id of what each voids. */
  readonly #owed = new Map<string, Draft>();
  #underWay: Promise<void> | undefined;

  constructor(deps: OrphanDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#suspects.size + this.#owed.size;
  }

  /** `fromIndex`: a leaf below it cannot be this one. */
  suspect(drafts: readonly Draft[], fromIndex: number): void {
    if (this.#suspects.size >= MAX_SUSPECTS) {
      for (const oldest of this.#suspects) {
        this.#forget(oldest);
        this.#deps.lost();
        break;
      }
    }
    const marks = drafts.map(markOfDraft);
    const id = sealedId(marks[0] ?? '');
    this.#suspects.add({ id, marks, fromIndex, firstReadMs: undefined });
    this.#deps.keeper?.keep(id, { kind: 'sealed', marks, from: fromIndex });
  }

  /** What another process remembered, which is gone. */
  adopt(id: string, about: KeptOrphan): void {
    if (about.kind === 'owed') {
      const draft = fromBinary(DraftSchema, Buffer.from(about.draft, 'base64'));
      this.#owed.set(voidedBy(draft), draft);
      return;
    }
    if ([...this.#suspects].some((suspect) => suspect.id === id)) return;
    this.#suspects.add({ id, marks: about.marks, fromIndex: about.from, firstReadMs: undefined });
  }

  /** A void that could not be sealed, or perhaps was: sealed when the signer is back, unless it stands there by then. */
  owe(draft: Draft): void {
    const id = voidedBy(draft);
    if (this.#owed.size >= MAX_SUSPECTS) {
      this.#deps.lost();
      return;
    }
    this.#owed.set(id, draft);
    const bytes = Buffer.from(toBinary(DraftSchema, draft));
    this.#deps.keeper?.keep(owedId(id), { kind: 'owed', draft: bytes.toString('base64') });
  }

  /** The signer is lost again: what is on its way to it may take as long as before. */
  unsettle(): void {
    for (const suspect of this.#suspects) suspect.firstReadMs = undefined;
  }

  /** Call while the signer is well. Reads its log, voids what is found, forgets what can no longer come. */
  resolve(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    this.#underWay ??= this.#resolve().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #resolve(): Promise<void> {
    const { now, settleMs, voided } = this.#deps;
    const looked = [...this.#suspects];
    const wanted = new Map(looked.flatMap((suspect) => suspect.marks.map((mark) => [mark, suspect])));
    const owed = [...this.#owed];
    const from = Math.min(
      ...looked.map(({ fromIndex }) => fromIndex),
      ...owed.map(([id]) => parseReceiptId(id)?.index ?? 0),
    );
    const { found, closed, next } = await this.#scan(from, wanted);
    const open = found.filter(({ receipt }) => !closed.has(receipt.receiptId));
    await this.#void([
      ...open.map(({ receipt }) => voidDraft(receipt)),
      ...owed.flatMap(([id, draft]) => (closed.has(id) ? [] : [draft])),
    ]);
    for (const [id] of owed) {
      this.#owed.delete(id);
      this.#deps.keeper?.drop(owedId(id));
      voided();
    }
    for (const { suspect } of found) {
      this.#forget(suspect);
      // Counted when it is over, and so once: a void whose own answer was lost is found, not written again.
      voided();
    }
    const nowMs = now();
    for (const suspect of looked) {
      suspect.fromIndex = Math.max(suspect.fromIndex, next);
      suspect.firstReadMs ??= nowMs;
      if (nowMs - suspect.firstReadMs >= settleMs) this.#forget(suspect);
    }
  }

  #forget(suspect: Suspect): void {
    this.#suspects.delete(suspect);
    this.#deps.keeper?.drop(suspect.id);
  }

  async #scan(from: number, wanted: ReadonlyMap<string, Suspect>) {
    const { signer, context } = this.#deps;
    const found: { readonly suspect: Suspect; readonly receipt: Receipt }[] = [];
    const closed = new Set<string>();
    for (let start = BigInt(from); ; ) {
      const page = await signer.listReceipts(create(ListReceiptsRequestSchema, { start, limit: SCAN_PAGE }), context());
      for (const { envelope } of page.receipts) {
        const receipt = readReceipt(envelope);
        if (receipt.kind === 'void') closed.add(String(receipt.predicate.voids));
        const suspect = wanted.get(markOfReceipt(receipt));
        if (suspect) found.push({ suspect, receipt });
      }
      if (page.next >= page.size || page.next === start) return { found, closed, next: Number(page.next) };
      start = page.next;
    }
  }

  /** A void that fails leaves its suspects where they are; what was written of it is seen the next time. */
  async #void(voids: readonly Draft[]): Promise<void> {
    const { signer, context } = this.#deps;
    for (let at = 0; at < voids.length; at += VOIDS_PER_JOB) {
      const drafts = voids.slice(at, at + VOIDS_PER_JOB);
      await signer.seal(create(SealRequestSchema, { drafts }), context());
    }
  }
}

/** The id of the receipt that a void's draft closes; empty for what is no such draft. */
export function voidedBy({ kind, predicateJson }: Draft): string {
  if (kind !== 'void') return '';
  const { voids } = JSON.parse(Buffer.from(predicateJson).toString('utf8')) as { voids?: unknown };
  return typeof voids === 'string' ? voids : '';
}

/** Under which of them a receipt is kept that may be about to be voided. */
export function suspicionsOf(receipt: Receipt): readonly string[] {
  return [sealedId(markOfReceipt(receipt)), owedId(receipt.receiptId)].map((id) => inLog(id, receipt.logId));
}

/** One request may be suspected of two logs: each has its own orphan. */
export function inLog(id: string, logId: string): string {
  return `${id}@${logId}`;
}

function sealedId(mark: string): string {
  return `sealed:${mark}`;
}

function owedId(receiptId: string): string {
  return `owed:${receiptId}`;
}

function voidDraft(receipt: Receipt): Draft {
  const tenantId = receipt.tenantId ?? '';
  const predicate = {
    voids: receipt.receiptId,
    reason: 'orphan',
    tenant_id: tenantId,
    ...(receipt.agentId === undefined ? {} : { agent_id: receipt.agentId }),
  };
  return create(DraftSchema, {
    kind: 'void',
    actionId: receipt.actionId,
    fingerprint: receipt.fingerprint,
    tenantId,
    predicateJson: Buffer.from(JSON.stringify(predicate)),
  });
}

/** The same for a draft and for the receipt it became; ids and the evidence's salt make it one request's own. */
function markOfDraft({ kind, actionId, predicateJson }: Draft): string {
  return sha256Hex(`${kind} ${actionId} ${JSON.stringify(JSON.parse(Buffer.from(predicateJson).toString('utf8')))}`);
}

function markOfReceipt({ kind, actionId, predicate }: Receipt): string {
  const theirs = Object.entries(predicate).filter(([name]) => !SIGNER_FIELDS.includes(name));
  return sha256Hex(`${kind} ${actionId} ${JSON.stringify(Object.fromEntries(theirs))}`);
}
