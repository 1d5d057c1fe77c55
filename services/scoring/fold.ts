// What one batch of leaves does to the tallies of the agents they are about. Reads the store, writes nothing.

import { parseReceiptId } from '../../core/ids.ts';
import type { Receipt } from '../../core/receipt.ts';
import { standingOf } from '../../core/trust-score/score.ts';
import {
  addReceipt,
  addUnqualified,
  emptyTally,
  readTally,
  type Tally,
  type UnqualifiedReason,
  voidReceipt,
  writeTally,
} from '../../core/trust-score/tally.ts';
import { dayOf, importFinding, receiptView } from '../../core/trust-score/view.ts';
import type { AgentKey, ScoreRow, ScoreStore } from '../../ports/score-store/port.ts';
import { type Checked, checkReceipt, type ReceiptSource, type TrustedKeys } from './ledger-source.ts';

type Touched = { readonly key: AgentKey; tally: Tally; readonly before: ScoreRow | undefined };
type Reads = { readonly store: ScoreStore; readonly source: ReceiptSource; readonly keys: TrustedKeys };

export class Fold {
  readonly #reads: Reads;
  readonly #touched = new Map<string, Touched>();

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  async add(index: number, leaf: Uint8Array): Promise<void> {
    await this.addChecked(index, await checkReceipt(leaf, this.#reads.keys.all()));
  }

  async addChecked(index: number, checked: Checked): Promise<void> {
    const receipt = checked.receipt;
    if (receipt === undefined) return;
    const reason = whyNot(checked, this.#reads.source.logId, index);
    if (reason !== undefined) return this.#unqualified(receipt, reason, dayOf(Date.parse(receipt.sealedAt)));
    if (receipt.kind === 'void') return this.#void(receipt);
    if (receipt.kind === 'import') {
      const finding = importFinding(receipt);
      return finding && this.#unqualified(receipt, finding.reason, finding.day);
    }
    const view = receiptView(receipt);
    const agent = view && (await this.#agent(receipt));
    if (agent) agent.tally = addReceipt(agent.tally, view);
  }

  /** The rows to keep, with figures as of `day`, and what they were before. */
  rows(day: number): { readonly row: ScoreRow; readonly before: ScoreRow | undefined }[] {
    return [...this.#touched.values()].map(({ key, tally, before }) => ({ row: scoreRow(key, tally, day), before }));
  }

  async #unqualified(receipt: Receipt, reason: UnqualifiedReason, day: number): Promise<void> {
    const agent = await this.#agent(receipt);
    if (agent) agent.tally = addUnqualified(agent.tally, reason, day);
  }

  async #void(receipt: Receipt): Promise<void> {
    const { source, keys } = this.#reads;
    const voids = receipt.predicate.voids;
    const place = typeof voids === 'string' ? parseReceiptId(voids) : undefined;
    if (place === undefined || place.logId !== source.logId || place.index >= receipt.index) return;
    const [stored] = await source.scan(place.index, 1);
    const checked = stored && (await checkReceipt(stored.leaf, keys.all()));
    if (!checked?.qualified || whyNot(checked, source.logId, place.index) !== undefined) return;
    const view = receiptView(checked.receipt);
    const agent = view && (await this.#agent(checked.receipt));
    if (!agent) return;
    const day = dayOf(Date.parse(receipt.sealedAt));
    agent.tally = voidReceipt(agent.tally, checked.receipt.receiptId, view, day);
  }

  async #agent({ tenantId, agentId }: Receipt): Promise<Touched | undefined> {
    if (!tenantId || !agentId) return undefined;
    const name = `${tenantId}/${agentId}`;
    const known = this.#touched.get(name);
    if (known) return known;
    const key = { tenantId, agentId };
    const before = await this.#reads.store.read(key);
    const touched = { key, tally: before ? readTally(before.tally) : emptyTally(), before };
    this.#touched.set(name, touched);
    return touched;
  }
}

export function scoreRow({ tenantId, agentId }: AgentKey, tally: Tally, day: number): ScoreRow {
  // A signer's clock may be into the next day already; what lies further ahead is a clock that was wrong.
  const asOf = tally.last === day + 1 ? tally.last : day;
  const minted = standingOf(tally, 'authenticated', asOf);
  const asserted = standingOf(tally, 'asserted', asOf);
  return {
    tenantId,
    agentId,
    tally: writeTally(tally),
    score: minted.score,
    totalReceipts: minted.totalReceipts,
    validReceipts: minted.validReceipts,
    assertedScore: asserted.score,
    assertedValidReceipts: asserted.validReceipts,
  };
}

/** A receipt that stands at another place than it names was never in the ledger under its name. */
export function whyNot(checked: Checked, logId: string, index: number): UnqualifiedReason | undefined {
  if (!checked.qualified) return checked.code === 'unknown_key' ? 'unknown_key' : 'bad_signature';
  const { receipt } = checked;
  return receipt.logId === logId && receipt.index === index ? undefined : 'not_in_ledger';
}
