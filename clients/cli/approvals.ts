// `beacon approvals`: what waits for a person, and the person's answer (operator).

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT } from './failure.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type ListOptions = { tenant?: string; json?: true };
type AnswerOptions = { reason?: string; json?: true };

export function define(program: Command, world: World, exits: Exits): void {
  const approvals = program.command('approvals').description('list what waits for a person; approve or deny it');
  approvals
    .command('list', { isDefault: true })
    .description('what waits now')
    .option('--tenant <name>')
    .option('--json')
    .action(exits((options: ListOptions) => list(options, world)));
  for (const verb of ['approve', 'deny'] as const) {
    approvals
      .command(verb)
      .description(verb === 'approve' ? 'let this action run, once, as it was proposed' : 'refuse it')
      .argument('<action-id>')
      .option('--reason <text>', 'kept with the answer')
      .option('--json')
      .action(exits((id: string, options: AnswerOptions) => answer(verb === 'approve', id, options, world)));
  }
}

async function list(options: ListOptions, world: World): Promise<number> {
  const query = options.tenant ? `?${new URLSearchParams({ tenant_id: options.tenant })}` : '';
  const found = await (await findBeacon(world)).ask('GET', `/api/approvals${query}`);
  if (options.json) {
    world.out(`${JSON.stringify(found)}\n`);
    return EXIT.yes;
  }
  const waiting = (Array.isArray(found) ? found : (found.approvals as Json[] | undefined)) ?? [];
  if (waiting.length === 0) terminal(world).line('  nothing waits');
  else await terminal(world).table(['action', 'agent', 'what', 'until', 'status'], waiting.map(row));
  return EXIT.yes;
}

function row({ action_id, tenant_id, agent_id, summary, not_after, status }: Json): unknown[] {
  return [action_id, `${plain(tenant_id)}/${plain(agent_id)}`, summary, not_after, status];
}

async function answer(approve: boolean, id: string, options: AnswerOptions, world: World): Promise<number> {
  const beacon = await findBeacon(world);
  const body = { approve, ...(options.reason === undefined ? {} : { reason: options.reason }) };
  const approval = await beacon.ask('POST', `/api/actions/${encodeURIComponent(id)}/approval`, body);
  if (options.json) {
    world.out(`${JSON.stringify(approval)}\n`);
    return EXIT.yes;
  }
  const { headline, fields } = terminal(world);
  headline(approve ? 'good' : 'bad', approve ? 'approved' : 'denied', plain(id));
  fields([
    ['what', approval.summary],
    ['by', approval.approver],
    ['until', approve ? approval.not_after : undefined],
    ['receipt', approval.receipt_id],
  ]);
  return EXIT.yes;
}
