// Recorded decisions beside what another policy says of the same inputs: what changed, grouped, the milder first. Pure.

import { canonicalJson, sha256Hex } from './canonical-json.ts';
import type { EvaluatedInput } from './envelope.ts';
import type { Receipt } from './receipt.ts';
import { type Reason, ROUTES, type Route, runs, type Verdict } from './route.ts';
import { parseStrictJson } from './strict-json.ts';

/** Why a decision cannot be asked again. */
export const NOT_REPLAYED = {
  not_kept: 'no evidence was kept (zero retention)',
  erased: 'its evidence is gone (erased, or past its retention)',
  unsigned: 'its receipt does not verify under the published keys',
  other_evidence: 'its evidence is not what its receipt names',
  other_form: 'its input has a form this version does not read',
} as const;
export type NotReplayed = keyof typeof NOT_REPLAYED;

export type Recorded = {
  readonly receiptId: string;
  readonly sealedAt: string;
  readonly tenantId: string;
  readonly agentId: string;
  readonly route: Route;
  readonly reasons: readonly Pick<Reason, 'rule' | 'code'>[];
  readonly policyRevision: string;
  readonly summary: string;
  readonly effects: readonly string[];
  /** RFC 8785: the very bytes that were evaluated. */
  readonly input: Uint8Array;
};

const MAX_EVIDENCE_BYTES = 4 * 1_048_576;
const MAX_EVIDENCE_DEPTH = 128;
const MAX_EXAMPLES = 5;
/** Beacon's own answers, whatever a policy says: the kill switch, and limits of the host. */
const HELD = ['revoked', 'no_lease', 'revocation_unknown', 'too_many_tools'];

type Asked = Pick<Receipt, 'receiptId' | 'sealedAt' | 'route' | 'predicate'>;

/** The input a receipt's evidence holds, checked against both digests of the receipt; otherwise why not. */
export function readRecorded(receipt: Asked, evidence: Uint8Array): Recorded | NotReplayed {
  const { evidence_digest, envelope_digest, reasons, policy } = receipt.predicate as Record<string, unknown>;
  if (sha256Hex(evidence) !== evidence_digest) return 'other_evidence';
  let held: { summary?: unknown; input?: unknown } | null;
  try {
    held = parseStrictJson(evidence, { maxBytes: MAX_EVIDENCE_BYTES, maxDepth: MAX_EVIDENCE_DEPTH }) as typeof held;
  } catch {
    return 'other_form';
  }
  const input = held?.input as EvaluatedInput | undefined;
  if (receipt.route === undefined || input?.version !== 1 || !Array.isArray(input.action?.parts)) return 'other_form';
  const bytes = new TextEncoder().encode(canonicalJson(input));
  if (sha256Hex(bytes) !== envelope_digest) return 'other_evidence';
  return {
    receiptId: receipt.receiptId,
    sealedAt: receipt.sealedAt,
    tenantId: input.identity.tenant_id,
    agentId: input.identity.agent_id,
    route: receipt.route,
    reasons: Array.isArray(reasons) ? (reasons as Recorded['reasons']) : [],
    policyRevision: String((policy as { revision?: unknown } | undefined)?.revision ?? ''),
    summary: typeof held?.summary === 'string' ? held.summary : '',
    effects: [...new Set(input.action.parts.map(({ effect }) => effect as string))],
    input: bytes,
  };
}

/** What would be decided: the policy's verdict under what Beacon itself said then. */
export function wouldBe(recorded: Pick<Recorded, 'reasons'>, verdict: Pick<Verdict, 'route'>): Route {
  return isHeld(recorded) ? 'DENY' : verdict.route;
}

export function isHeld({ reasons }: Pick<Recorded, 'reasons'>): boolean {
  return reasons.some(({ rule, code }) => {
    return HELD.includes(code) && (rule === 'beacon.revocation' || rule === 'beacon.builtin');
  });
}

export type Change = {
  readonly was: Route;
  readonly is: Route;
  readonly milder: boolean;
  /** Of a stricter one the new first reason; of a milder one the old, which no longer holds. */
  readonly because: Pick<Reason, 'rule' | 'code'>;
  readonly count: number;
  readonly agents: number;
  /** The latest, at most five. */
  readonly examples: readonly Pick<
    Recorded,
    'receiptId' | 'sealedAt' | 'tenantId' | 'agentId' | 'summary' | 'effects'
  >[];
};
export type PolicyDiff = {
  readonly replayed: number;
  readonly unchanged: number;
  readonly milder: number;
  readonly stricter: number;
  /** Decided by Beacon itself (the kill switch, limits of the host): no policy changes them. */
  readonly held: number;
  readonly routes: { readonly was: Readonly<Record<Route, number>>; readonly is: Readonly<Record<Route, number>> };
  /** How many did not run at once: what people are asked, and what is refused. */
  readonly interrupted: { readonly was: number; readonly is: number };
  /** The milder first, then by how many. */
  readonly changes: readonly Change[];
};

type Group = { was: Route; is: Route; because: Change['because']; all: Recorded[] };

export function diffPolicies(
  pairs: readonly { readonly recorded: Recorded; readonly verdict: Pick<Verdict, 'route' | 'reasons'> }[],
): PolicyDiff {
  const routes = { was: counters(), is: counters() };
  const groups = new Map<string, Group>();
  for (const { recorded, verdict } of pairs) {
    const was = recorded.route;
    const is = wouldBe(recorded, verdict);
    routes.was[was] += 1;
    routes.is[is] += 1;
    if (was === is) continue;
    const [first] = rank(is) > rank(was) ? verdict.reasons : recorded.reasons;
    const because = { rule: first?.rule ?? '', code: first?.code ?? '' };
    const key = `${was} ${is} ${because.rule} ${because.code}`;
    const group = groups.get(key) ?? { was, is, because, all: [] };
    group.all.push(recorded);
    groups.set(key, group);
  }
  const changes = [...groups.values()].map(changeOf).sort(byWeight);
  const counted = (milder: boolean) =>
    changes.filter((change) => change.milder === milder).reduce((sum, change) => sum + change.count, 0);
  const stopped = (of: Record<Route, number>) =>
    ROUTES.filter((route) => !runs(route)).reduce((sum, route) => sum + of[route], 0);
  return {
    replayed: pairs.length,
    unchanged: pairs.length - counted(true) - counted(false),
    milder: counted(true),
    stricter: counted(false),
    held: pairs.filter(({ recorded }) => isHeld(recorded)).length,
    routes,
    interrupted: { was: stopped(routes.was), is: stopped(routes.is) },
    changes,
  };
}

function changeOf({ was, is, because, all }: Group): Change {
  const latest = [...all].sort((a, b) => (a.sealedAt < b.sealedAt ? 1 : -1)).slice(0, MAX_EXAMPLES);
  return {
    was,
    is,
    milder: rank(is) < rank(was),
    because,
    count: all.length,
    agents: new Set(all.map(({ tenantId, agentId }) => `${tenantId}/${agentId}`)).size,
    examples: latest.map(({ receiptId, sealedAt, tenantId, agentId, summary, effects }) => {
      return { receiptId, sealedAt, tenantId, agentId, summary, effects };
    }),
  };
}

function byWeight(a: Change, b: Change): number {
  return Number(b.milder) - Number(a.milder) || b.count - a.count || (a.because.code < b.because.code ? -1 : 1);
}

function rank(route: Route): number {
  return ROUTES.indexOf(route);
}

function counters(): Record<Route, number> {
  return Object.fromEntries(ROUTES.map((route) => [route, 0])) as Record<Route, number>;
}
