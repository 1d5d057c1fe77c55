// `beacon policy simulate`: decisions that were recorded, asked of a bundle that is not installed. Reads receipts and their
// evidence (an auditor's or admin's token); writes nothing.

import type { Command } from 'commander';
import {
  diffPolicies,
  type NotReplayed,
  type PolicyDiff,
  type Recorded,
  readRecorded,
} from '../../core/policy-diff.ts';
import type { Receipt } from '../../core/receipt.ts';
import type { Verdict } from '../../core/route.ts';
import { verifyReceipt } from '../../core/verify.ts';
import { type Beacon, findBeacon, type Json } from './beacon.ts';
import { CliFailure, EXIT, usage } from './failure.ts';
import { bundleFolder, toolsOf } from './policy-bundle.ts';
import type { OpenBundle } from './policy-tools.ts';
import { listReceipts } from './receipt-list.ts';
import { type Simulated, showSimulation } from './simulation.ts';
import { many } from './terminal.ts';
import { keysOf } from './trusted-keys.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = {
  bundle: string;
  since?: string;
  agent?: string;
  tenant?: string;
  limit: string;
  refuseMilder?: true;
  json?: true;
};
const MAX_DECISIONS = 100_000;
const PAGE = 250;
/** Asked for at once; more would only queue at the Beacon, which has decisions to make. */
const READERS = 8;
const PROGRESS_EVERY_MS = 200;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function defineSimulate(policy: Command, world: World, exits: Exits): void {
  policy
    .command('simulate')
    .description('what a bundle would have decided on what was recorded, beside what was decided')
    .requiredOption('--bundle <dir>', 'a bundle, signed or not, or a package that was built')
    .option('--since <when>', 'a date or time (RFC 3339), or how long ago: 90m, 12h, 7d, 4w')
    .option('--agent <name>')
    .option('--tenant <name>')
    .option('--limit <n>', 'the latest so many decisions', '1000')
    .option('--refuse-milder', 'exit status 1 when anything would be milder (for CI)')
    .option('--json')
    .action(exits((options: Options) => simulate(options, world)));
}

async function simulate(options: Options, world: World): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DECISIONS) throw usage(`--limit is 1 to ${MAX_DECISIONS}`);
  const sinceMs = options.since === undefined ? undefined : readSince(options.since, Date.now());
  const bundle = await (await toolsOf(world)).open(bundleFolder(options.bundle, world));
  const beacon = await findBeacon(world);
  const stop = new AbortController();
  world.onInterrupt(() => stop.abort());
  const progress = progressOf(world, options.json === true);
  const asked = { agent: options.agent, tenant: options.tenant, limit, sinceMs };
  const { receipts, more } = await decisionsOf(beacon, asked, { stop: stop.signal, progress });
  const replayed = await replay(beacon, bundle, receipts, { stop: stop.signal, progress });
  progress('');
  const simulated: Simulated = {
    bundle: { name: bundle.name, revision: bundle.revision, digest: bundle.digest },
    asked: {
      since: sinceMs === undefined ? null : new Date(sinceMs).toISOString(),
      agent: options.agent ?? null,
      tenant: options.tenant ?? null,
      limit,
    },
    found: receipts.length,
    oldest: receipts.at(-1)?.sealedAt ?? null,
    newest: receipts[0]?.sealedAt ?? null,
    complete: !more && !stop.signal.aborted,
    interrupted_by_person: stop.signal.aborted,
    ...replayed,
  };
  if (options.json) world.out(`${JSON.stringify(simulated)}\n`);
  else await showSimulation(simulated, world);
  return options.refuseMilder && simulated.milder > 0 ? EXIT.no : EXIT.yes;
}

export function readSince(text: string, nowMs: number): number {
  const ago = /^([1-9][0-9]{0,5})([mhdw])$/.exec(text);
  if (ago) return nowMs - Number(ago[1]) * (UNITS[ago[2] as string] as number);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw usage('--since: a date or time such as 2026-01-31, or how long ago: 90m, 12h, 7d, 4w');
  return at;
}

type Asked = { agent: string | undefined; tenant: string | undefined; limit: number; sinceMs: number | undefined };
type Working = { readonly stop: AbortSignal; readonly progress: (text: string) => void };

/** The latest decisions of every log of receipts, the newest first; `more` when there are older ones. */
async function decisionsOf(
  beacon: Beacon,
  asked: Asked,
  working: Working,
): Promise<{ receipts: Receipt[]; more: boolean }> {
  const logs = (await beacon.ask('GET', '/api/logs')) as unknown as { origin: string }[];
  const receipts: Receipt[] = [];
  let more = false;
  for (const { origin } of logs) {
    if (!origin.includes('/receipt-signer/')) continue;
    const log = origin.slice(origin.lastIndexOf('/') + 1);
    const found = await decisionsIn(beacon, log, asked, working);
    receipts.push(...found.receipts);
    more ||= found.more;
  }
  receipts.sort((a, b) => (a.sealedAt < b.sealedAt ? 1 : -1));
  return { receipts: receipts.slice(0, asked.limit), more: more || receipts.length > asked.limit };
}

async function decisionsIn(beacon: Beacon, log: string, asked: Asked, { stop, progress }: Working) {
  const { agent, tenant, limit, sinceMs = Number.NEGATIVE_INFINITY } = asked;
  const receipts: Receipt[] = [];
  let start: number | undefined;
  while (!stop.aborted) {
    const filter = { log, kind: 'decision', limit: PAGE, reverse: true };
    const page = await listReceipts(beacon, {
      ...filter,
      ...(start === undefined ? {} : { start }),
      ...(agent === undefined ? {} : { agent }),
      ...(tenant === undefined ? {} : { tenant }),
    });
    for (const { receipt } of page.receipts) {
      if (Date.parse(receipt.sealedAt) < sinceMs) return { receipts, more: false };
      if (receipts.length === limit) return { receipts, more: true };
      receipts.push(receipt);
    }
    progress(`${many(receipts.length, 'decision')} found`);
    if (page.next === 0) break;
    start = page.next;
  }
  return { receipts, more: false };
}

type Replayed = PolicyDiff & { readonly not_replayed: Readonly<Record<string, number>>; readonly recorded_by: Json };

async function replay(
  beacon: Beacon,
  bundle: OpenBundle,
  receipts: readonly Receipt[],
  { stop, progress }: Working,
): Promise<Replayed> {
  const { receiptKeys } = await keysOf(beacon);
  const pairs: { recorded: Recorded; verdict: Verdict }[] = [];
  const notReplayed: Record<string, number> = {};
  const revisions: Record<string, number> = {};
  let next = 0;
  const reader = async () => {
    for (let receipt = receipts[next++]; receipt && !stop.aborted; receipt = receipts[next++]) {
      const recorded = isOurs(receipt, receiptKeys) ? await recordedOf(beacon, receipt) : 'unsigned';
      if (typeof recorded === 'string') notReplayed[recorded] = (notReplayed[recorded] ?? 0) + 1;
      else {
        pairs.push({ recorded, verdict: bundle.evaluate(recorded.input) });
        revisions[recorded.policyRevision] = (revisions[recorded.policyRevision] ?? 0) + 1;
      }
      progress(`${pairs.length} of ${many(receipts.length, 'decision')} asked again`);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return { ...diffPolicies(pairs), not_replayed: notReplayed, recorded_by: revisions };
}

function isOurs(receipt: Receipt, keys: Parameters<typeof verifyReceipt>[1]): boolean {
  try {
    verifyReceipt(receipt.envelope, keys);
    return true;
  } catch {
    return false;
  }
}

async function recordedOf(beacon: Beacon, receipt: Receipt): Promise<Recorded | NotReplayed> {
  if (receipt.predicate.evidence === 'none') return 'not_kept';
  try {
    return readRecorded(receipt, await beacon.fetchBytes(`/api/receipts/${receipt.receiptId}/evidence`));
  } catch (thrown) {
    if (thrown instanceof CliFailure && thrown.code === 'not_found') return 'erased';
    throw thrown;
  }
}

/** One line that is written over, and only where a person looks. */
function progressOf(world: World, quiet: boolean): (text: string) => void {
  let last = 0;
  return (text) => {
    if (quiet || !world.colour) return;
    const now = performance.now();
    if (text !== '' && now - last < PROGRESS_EVERY_MS) return;
    last = now;
    world.err(text === '' ? '\r\u001b[K' : `\r\u001b[K  ${text} …`);
  };
}
