// One receipt for a person: who, what, when, where in which log, and how to check it. Nothing here is verified, and the
// view says so; what it leaves out it names.

import type { Receipt } from '../../core/receipt.ts';
import type { Json } from './beacon.ts';
import { constraintInWords, list, policyInWords, quote } from './execute.ts';
import { saying } from './receipt-list.ts';
import { many, plain, terminal } from './terminal.ts';
import type { World } from './world.ts';

const MAX_SHOWN_PARTS = 3;
const MAX_SHOWN_REASONS = 8;
const COLOURS = { ALLOW: 'green', WARN: 'yellow', SIMULATE: 'cyan', APPROVAL: 'cyan', DENY: 'red' } as const;
/** Told under another name, or with another field. */
const TOLD = new Set([
  ...['receipt_id', 'sealed_at', 'tenant_id', 'agent_id', 'session_id', 'action_id', 'client_provenance'],
  ...[
    'route',
    'decision',
    'reasons',
    'parts',
    'part_count',
    'tools',
    'score',
    'level',
    'policy',
    'permit',
    'permit_id',
  ],
  'obligations',
]);
const DIGEST = /^[0-9a-f]{64}$/;

/** Where its bytes and its proof were saved to, as typed. */
export type Saved = { readonly out?: string | undefined; readonly proof?: string | undefined };

export function showReceipt(receipt: Receipt, saved: Saved, world: World): void {
  const { style, line, fields } = terminal(world);
  const { predicate, permit, route } = receipt;
  const says = plain(saying(receipt));
  line(
    `${style('bold', receipt.kind)} ${receipt.receiptId}  ${route === undefined ? says : style(COLOURS[route], says)}`,
  );
  const { rest, left } = others(predicate);
  fields([
    ['route', route && `${route}, so the answer was ${plain(predicate.decision)}`],
    ['agent', agentOf(receipt)],
    ['session', predicate.session_id],
    ['when', receipt.sealedAt],
    [receipt.actionId.startsWith('act_') ? 'action' : 'about', receipt.actionId],
    ['what', whatOf(predicate)],
    ['reasons', reasonsOf(predicate)],
    ['constraints', list(predicate.obligations).map(constraintInWords).join('; ')],
    ['fingerprint', receipt.fingerprint],
    ['permit', permit && `${permit.id} until ${permit.not_after}`],
    ['score', predicate.score === undefined ? undefined : scoreOf(predicate)],
    ['policy', policyOf(predicate)],
    ...rest,
    ['log', `${receipt.logId}, index ${receipt.index}`],
    ['key', `${plain(receipt.keyId)} (as it says: not verified here)`],
    ['saved to', [saved.out, saved.proof].filter(Boolean).join(', ')],
    ['also in it', left.length === 0 ? undefined : `${left.join(', ')} (--json)`],
  ]);
  line();
  line(`  ${style('dim', 'verify it:')}`);
  for (const command of howToVerify(receipt.receiptId, saved)) line(`    ${plain(command)}`);
}

/** Values of one word or number stand by their names; of what is larger the name alone, and digests are counted. */
function others(predicate: Receipt['predicate']): { rest: [string, unknown][]; left: string[] } {
  const entries = Object.entries(predicate).filter(([name]) => !TOLD.has(name));
  const {
    short = [],
    large = [],
    digest = [],
  } = Object.groupBy(entries, ([, value]) => {
    if (typeof value === 'object') return 'large';
    return DIGEST.test(String(value)) ? 'digest' : 'short';
  });
  return {
    rest: short.map(([name, value]) => [words(name), value]),
    left: [...large.map(([name]) => words(name)), ...(digest.length > 0 ? [many(digest.length, 'digest')] : [])],
  };
}

function words(name: string): string {
  return plain(name).replaceAll('_', ' ');
}

function agentOf({ agentId, tenantId, predicate }: Receipt): string | undefined {
  const { client_provenance: as } = predicate;
  const tenant = tenantId === undefined ? '' : `tenant ${tenantId}`;
  if (agentId === undefined) return tenant || undefined;
  return `${agentId}${tenant && ` of ${tenant}`}${typeof as === 'string' ? `, ${as}` : ''}`;
}

function whatOf({ parts, part_count: count }: Json): string {
  const named = list(parts);
  const shown = named
    .slice(0, MAX_SHOWN_PARTS)
    .map(({ tool, operation, effect }) =>
      tool === operation
        ? `${plain(tool)} (${plain(effect)})`
        : `${plain(tool)} ${plain(operation)} (${plain(effect)})`,
    );
  const more = Math.max(named.length, typeof count === 'number' ? count : 0) - shown.length;
  return [...shown, ...(more > 0 ? [`and ${many(more, 'part')} more`] : [])].join(', ');
}

function reasonsOf({ reasons }: Json): string {
  const named = list(reasons).map(({ rule, code }) => `${plain(rule)}: ${plain(code)}`);
  const more = named.length - MAX_SHOWN_REASONS;
  return [...named.slice(0, MAX_SHOWN_REASONS), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function scoreOf({ score, level }: Json): string {
  return level === undefined ? plain(score) : `${plain(score)} at ${plain(level)}`;
}

function policyOf({ policy }: Json): string {
  if (typeof policy !== 'object' || policy === null) return plain(policy);
  const { revision, digest } = policy as Json;
  return policyInWords(revision, digest);
}

function howToVerify(id: string, { out, proof }: Saved): string[] {
  const receipt = out === undefined || out === '-' ? 'receipt.json' : out;
  const inLog = proof ?? 'receipt.tlog-proof';
  const save = `beacon receipts ${id} --out ${quote(receipt)} --proof ${quote(inLog)}`;
  const verify = `beacon verify ${quote(receipt)} --proof ${quote(inLog)}`;
  return out === receipt && proof !== undefined ? [verify] : [save, verify];
}
