// `beacon revoke`: stops a scope, and shows how far the stop has reached.

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT } from './failure.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { reason: string; json?: true };

/** The longest lease (ten minutes), after which Beacon answers in any case, and what that takes. */
const TIMEOUT_MS = 615_000;
const NOTICE_MS = 2_000;
const WAITING = 'a signer that cannot be reached goes on until its lease ends, and the answer comes after that';

export const SCOPES =
  'global, tenant:T, agent:A, agent:T/A, session:S, tool:N, policy:DIGEST, key:ID, permit:ID, provenance:asserted';

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('revoke')
    .description('stop a scope: no ALLOW in it will be signed any more')
    .argument('[scope]', `${SCOPES}; without one, what is stopped now`)
    .option('--reason <text>', 'a keyed digest of it is kept with the revocation', 'revoked from the command line')
    .option('--json')
    .action(
      exits((scope: string | undefined, options: Options) =>
        scope === undefined ? listRevocations(options, world) : change('revoke', scope, options, world),
      ),
    );
}

export async function change(
  operation: 'revoke' | 'reinstate',
  scope: string,
  options: Options,
  world: World,
): Promise<number> {
  const beacon = await findBeacon(world);
  const asked = performance.now();
  const waiting = setTimeout(() => world.err(`beacon: waiting: ${WAITING}\n`), NOTICE_MS);
  const body = { scope, operation, reason: options.reason };
  const answer = await beacon
    .ask('POST', '/api/revocations', body, { timeoutMs: TIMEOUT_MS })
    .finally(() => clearTimeout(waiting));
  const took_ms = Math.round(performance.now() - asked);
  if (options.json) world.out(`${JSON.stringify({ ...answer, took_ms })}\n`);
  else await show(operation, scope, { ...answer, took_ms }, world);
  return EXIT.yes;
}

async function show(operation: string, scope: string, answer: Json, world: World): Promise<void> {
  const { headline, fields, table, line, style } = terminal(world);
  const level = plain(answer.level);
  const isRevoke = operation === 'revoke';
  const done = isRevoke ? 'stopped' : 'reinstated';
  headline(
    level === 'COMMITTED' ? 'careful' : 'good',
    done,
    `${plain(scope)}  ${style('dim', isRevoke ? (MEANING[level] ?? level) : 'what it proposes is judged again')}`,
  );
  fields([
    ['revocation', answer.revocation_id],
    ['epoch', answer.epoch],
    ['level', level],
    [isRevoke ? 'stopped' : 'known', stoppedOf(answer)],
    ['took', `${plain(answer.took_ms)} ms, from asking to the answer`],
    ['receipt', answer.receipt_id],
    ['still open', ((answer.open_actions as string[] | undefined) ?? []).join(' ')],
  ]);
  const logs = (answer.logs as Json[] | undefined) ?? [];
  const ends = logs.map(({ origin, fence_index, lease_end }) => [
    origin,
    fence_index === undefined
      ? `lease ends ${plain(lease_end)}`
      : `${isRevoke ? 'fenced at' : 'from'} leaf ${plain(fence_index)}`,
  ]);
  if (ends.length > 0) await table(['log', 'since'], ends);
  const advice = typeof answer.advice === 'string' ? answer.advice : adviceFor(operation, scope);
  if (advice) line(style('yellow', `  ${plain(advice)}`));
}

/** Of a barrier that was reached now, or before and asked about again. */
function stoppedOf({ at, barrier_at }: Json): string | undefined {
  const ms = Date.parse(plain(barrier_at)) - Date.parse(plain(at));
  return Number.isFinite(ms) ? stoppedAfter(ms) : undefined;
}

export function stoppedAfter(ms: number): string {
  return `everywhere within ${ms} ms of its leaf in the ledger`;
}

const MEANING: Record<string, string> = {
  COMMITTED: 'durable, but not yet known to every signer',
  BARRIER: 'no ALLOW in the scope will be signed any more',
  DRAINED: 'and every permit issued before has ended',
};

function adviceFor(operation: string, scope: string): string {
  if (operation !== 'revoke' || !scope.startsWith('agent:')) return '';
  return 'A caller without a token could come back under another name: provenance:asserted stops all of those.';
}

async function listRevocations(options: Options, world: World): Promise<number> {
  const answer = await (await findBeacon(world)).ask('GET', '/api/revocations');
  if (options.json) {
    world.out(`${JSON.stringify(answer)}\n`);
    return EXIT.yes;
  }
  const { line, table } = terminal(world);
  const list = (answer.revocations as Json[] | undefined) ?? [];
  if (list.length === 0) line(`  nothing is revoked (epoch ${plain(answer.epoch)})`);
  else await table(['scope', 'epoch', 'since', 'by'], list.map(row));
  return EXIT.yes;
}

function row({ scope, epoch, at, actor }: Json): unknown[] {
  return [scope, epoch, at, actor];
}
