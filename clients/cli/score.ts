// `beacon score`: where an agent stands, and why; without an agent, everyone.

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT } from './failure.ts';
import { type Mood, plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { tenant?: string; json?: true };
const FLOOR = 300;
const CEILING = 850;
const BAR_CELLS = 30;

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('score')
    .description('the trust score of an agent (300-850) with what moved it, or of all agents')
    .argument('[agent]')
    .option('--tenant <name>', 'where several tenants have an agent of that name')
    .option('--json')
    .action(exits((agent: string | undefined, options: Options) => score(agent, options, world)));
}

async function score(agent: string | undefined, options: Options, world: World): Promise<number> {
  const query = options.tenant ? `?${new URLSearchParams({ tenant_id: options.tenant })}` : '';
  const beacon = await findBeacon(world);
  const path = agent === undefined ? '/api/scalar' : `/api/scalar/${encodeURIComponent(agent)}`;
  const answer = await beacon.ask('GET', path + query);
  if (options.json) world.out(`${JSON.stringify(answer)}\n`);
  else if (agent === undefined) await showAll(answer, world);
  else await showOne(answer, world);
  return EXIT.yes;
}

async function showOne(answer: Json, world: World): Promise<void> {
  const { headline, fields, table, line, style } = terminal(world);
  const points = Number(answer.score);
  headline(moodOf(points), String(points), `${bar(points)}  ${plain(answer.band)}`);
  fields([
    ['agent', `${plain(answer.agent_id)}${answer.tenant_id ? ` of tenant ${plain(answer.tenant_id)}` : ''}`],
    ['receipts', `${plain(answer.valid_receipts)} valid of ${plain(answer.total_receipts)}`],
    ['as of', answer.as_of],
  ]);
  if (Number(answer.total_receipts) === 0) {
    line(style('yellow', '  No receipt of such an agent yet: this is where everyone begins.'));
    return;
  }
  const factors = (answer.factors as Json[] | undefined) ?? [];
  if (factors.length > 0) {
    line();
    const signed = (value: unknown) => (Number(value) > 0 ? `+${plain(value)}` : plain(value));
    const rows = factors.map(({ name, points: gained, receipts, explanation }) => [
      name,
      signed(gained),
      plain(receipts),
      explanation,
    ]);
    await table(['factor', 'points', 'receipts', 'because'], rows);
  }
  for (const { reason, count } of (answer.unqualified as Json[] | undefined) ?? []) {
    line(`  ${style('yellow', `${plain(count)} not counted: ${plain(reason)}`)}`);
  }
}

async function showAll(answer: Json, world: World): Promise<void> {
  const scores = (Array.isArray(answer) ? answer : (answer.scores as Json[] | undefined)) ?? [];
  if (scores.length === 0) return terminal(world).line('  no agent has a receipt yet');
  const rows = scores.map((one: Json) => [
    one.tenant_id,
    one.agent_id,
    one.score,
    one.band,
    `${plain(one.valid_receipts)}/${plain(one.total_receipts)}`,
  ]);
  await terminal(world).table(['tenant', 'agent', 'score', 'band', 'valid/total'], rows);
}

function bar(points: number): string {
  const full = Math.round(((Math.min(CEILING, Math.max(FLOOR, points)) - FLOOR) / (CEILING - FLOOR)) * BAR_CELLS) || 0;
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`;
}

function moodOf(points: number): Mood {
  if (points >= 670) return 'good';
  return points >= 580 ? 'careful' : 'bad';
}
