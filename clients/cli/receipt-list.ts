// Pages of receipts as Beacon lists them, shown one line each. A listing is told, not verified: `beacon verify` is.

import { type Receipt, readReceipt } from '../../core/receipt.ts';
import type { Beacon, Json } from './beacon.ts';
import { unreachable } from './failure.ts';
import { plain, type Terminal } from './terminal.ts';

export type ReceiptFilter = {
  readonly tenant?: string;
  readonly agent?: string;
  readonly kind?: string;
  /** 12 hex digits; the first log of receipts when absent. */
  readonly log?: string;
  /** First index wanted. */
  readonly start?: number;
  readonly limit?: number;
  /** Newest first. */
  readonly reverse?: boolean;
};
export type ReceiptPage = { readonly receipts: readonly Listed[]; readonly next: number; readonly size: number };
export type Listed = { readonly receipt: Receipt; readonly document: Json };

export async function listReceipts(beacon: Beacon, filter: ReceiptFilter): Promise<ReceiptPage> {
  const { tenant: tenant_id, agent: agent_id, kind, log, start, limit, reverse } = filter;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ tenant_id, agent_id, kind, log, start, limit, reverse })) {
    if (value !== undefined) query.set(name, String(value));
  }
  const answer = await beacon.ask('GET', `/api/receipts?${query}`);
  const { receipts, next, size } = answer;
  if (!Array.isArray(receipts)) throw unreachable('the listing holds no receipts');
  return { receipts: receipts.map(readListed), next: Number(next), size: Number(size) };
}

/** Pages looked through for the newest of a filter; each looks at some two thousand leaves, and may hold none that fits. */
const MAX_PAGES = 1_000;

/** The newest `limit` that fit. `next` above 0: older ones were not looked at. */
export async function newestReceipts(
  beacon: Beacon,
  { limit, ...filter }: ReceiptFilter & { readonly limit: number },
): Promise<ReceiptPage> {
  const first = await listReceipts(beacon, { ...filter, limit, reverse: true });
  const receipts = [...first.receipts];
  let { next } = first;
  for (let pages = 1; receipts.length < limit && next > 0 && pages < MAX_PAGES; pages += 1) {
    const page = await listReceipts(beacon, { ...filter, start: next, limit: limit - receipts.length, reverse: true });
    if (page.next >= next) throw unreachable('the listing does not go on');
    receipts.push(...page.receipts);
    next = page.next;
  }
  return { receipts, next, size: first.size };
}

function readListed(document: Json): Listed {
  const envelope = document.receipt ?? document.envelope;
  return { document, receipt: readReceipt(Buffer.from(JSON.stringify(envelope))) };
}

export const COLUMNS = ['sealed at', 'receipt', 'kind', 'agent', 'says'];

export function row({ receipt }: Listed): string[] {
  const agent = receipt.agentId ? `${receipt.tenantId}/${receipt.agentId}` : '';
  return [receipt.sealedAt, receipt.receiptId, receipt.kind, agent, saying(receipt)];
}

export function oneLine(listed: Listed, { style }: Terminal): string {
  const [at, id, kind, agent, says] = row(listed).map(plain) as [string, string, string, string, string];
  const { route } = listed.receipt;
  const colour = route === undefined ? 'dim' : route === 'ALLOW' ? 'green' : route === 'DENY' ? 'red' : 'yellow';
  return `${style('dim', at)}  ${id.padEnd(18)}  ${kind.padEnd(10)}  ${style(colour, says)}${agent && `  ${agent}`}`;
}

/** What the kind's own field says, in few words. */
export function saying({ predicate, route }: Receipt): string {
  const { reasons, status, operation, scope, score, reason, deadline } = predicate as Record<string, unknown>;
  if (route !== undefined) {
    const codes = (Array.isArray(reasons) ? (reasons as Json[]) : []).map(({ code }) => plain(code));
    return [route, ...codes].join(' ');
  }
  if (operation !== undefined) return `${plain(operation)} ${plain(scope)}`;
  const word = status ?? score ?? reason ?? (deadline === undefined ? undefined : 'opened');
  return plain(word);
}
