// A verified receipt as the score sees it: which counts it adds to. Kinds about no conduct of an agent add to none.

import type { Receipt } from '../receipt.ts';
import { type Counts, type ReceiptView, UNQUALIFIED_REASONS, type UnqualifiedReason } from './tally.ts';
import { LIGHT_EFFECTS, NEUTRAL_RULES, SEVERE_EFFECTS } from './weights.ts';

const DAY_MS = 86_400_000;
type Predicate = Receipt['predicate'];
type Viewed = Pick<Receipt, 'kind' | 'sealedAt' | 'predicate'>;

/** Days since 1970-01-01, UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Undefined unless the text is a date of the form YYYY-MM-DD. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const day = dayOf(Date.parse(`${text}T00:00:00Z`));
  return Number.isSafeInteger(day) && dayText(day) === text ? day : undefined;
}

/** Undefined for kinds that count nowhere: revocation, score, policy, probe, checkpoint, import, void. */
export function receiptView(receipt: Viewed): ReceiptView | undefined {
  const counts = countsOf(receipt);
  if (counts === undefined) return undefined;
  const minted = ['authenticated', 'attested'].includes(receipt.predicate.client_provenance as string);
  return {
    standing: minted ? 'minted' : 'asserted',
    day: dayOf(Date.parse(receipt.sealedAt)),
    counts: { valid: 1, ...counts },
  };
}

/** What an import leaf found; undefined when it found a receipt that is ours and counted already. */
export function importFinding(receipt: Viewed): { reason: UnqualifiedReason; day: number } | undefined {
  const { qualified, reason } = receipt.predicate;
  if (qualified === true) return undefined;
  const known = UNQUALIFIED_REASONS.find((name) => name === reason) ?? 'malformed';
  return { reason: known, day: dayOf(Date.parse(receipt.sealedAt)) };
}

function countsOf({ kind, predicate }: Viewed): Counts | undefined {
  switch (kind) {
    case 'decision':
      return decisionCounts(predicate);
    case 'action':
      return { opened: 1 };
    case 'outcome':
      return outcomeCounts(predicate.status);
    case 'assumption':
      return assumptionCounts(predicate);
    case 'approval':
      return pick(predicate.status, { approved: { approved: 1 }, denied: { approvalDenied: 1 } });
    default:
      return undefined;
  }
}

function decisionCounts(predicate: Predicate): Counts {
  const externality = record(predicate.externality);
  const leaves = externality.external_write !== false;
  const secret = externality.sensitive_payload === 'secret' || externality.sensitive_payload === 'regulated';
  switch (predicate.route) {
    case 'ALLOW':
    case 'WARN': {
      const exposed = externality.external_write === true ? { exposed: 1 } : {};
      // Parts that only look show that the agent does no harm, and nothing about how it acts.
      if (list(predicate.parts).every(isLight)) return { light: 1, ...exposed };
      return predicate.route === 'ALLOW' ? { allowed: 1, ...exposed } : { warned: 1, ...exposed };
    }
    case 'DENY':
      if (list(predicate.reasons).every(isNeutral)) return {};
      return {
        ...(list(predicate.parts).some(isSevere) ? { deniedSevere: 1 } : { denied: 1 }),
        ...(leaves ? (secret ? { leakDenied: 1 } : { exposedDenied: 1 }) : {}),
      };
    default:
      return {};
  }
}

/** An agent that calls its own assumption right says nothing yet; it must name what it looked at. */
function assumptionCounts(predicate: Predicate): Counts {
  const observed = list(predicate.observed_digests).length > 0;
  return pick(predicate.status, {
    confirmed: observed ? { confirmed: 1 } : { unobserved: 1 },
    refuted: { refuted: 1 },
  });
}

function outcomeCounts(status: unknown): Counts {
  return pick(status, {
    succeeded: { succeeded: 1 },
    failed: { failed: 1 },
    partial: { partial: 1 },
    aborted: { unexecuted: 1 },
    not_executed: { unexecuted: 1 },
    lost_confirmation: { lostConfirmation: 1 },
  });
}

function pick(status: unknown, table: { readonly [status: string]: Counts }): Counts {
  return typeof status === 'string' && Object.hasOwn(table, status) ? (table[status] as Counts) : {};
}

function isNeutral(reason: unknown): boolean {
  const { rule } = record(reason);
  return NEUTRAL_RULES.some((name) => rule === name || (typeof rule === 'string' && rule.startsWith(`${name}.`)));
}

function isSevere(part: unknown): boolean {
  return (SEVERE_EFFECTS as ReadonlySet<unknown>).has(record(part).effect);
}

function isLight(part: unknown): boolean {
  return (LIGHT_EFFECTS as ReadonlySet<unknown>).has(record(part).effect);
}

function record(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { readonly [key: string]: unknown }) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
