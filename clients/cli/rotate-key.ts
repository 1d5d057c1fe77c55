// `beacon rotate-key`: a new receipt-signing key (admin). Old receipts keep verifying: old public keys stay published.

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT, unreachable } from './failure.ts';
import { terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('rotate-key')
    .description('sign receipts with a new key from now on; client files of hooks must be written anew (admin)')
    .option('--json')
    .action(exits((options: { json?: true }) => rotate(options, world)));
}

async function rotate(options: { json?: true }, world: World): Promise<number> {
  const beacon = await findBeacon(world);
  const [log] = (await beacon.ask('GET', '/api/logs')) as unknown as Json[];
  if (typeof log?.prefix !== 'string') throw unreachable('the answer names no log');
  const answer = await beacon.ask('POST', `/api${log.prefix}/rotate-key`, {});
  if (options.json) world.out(`${JSON.stringify(answer)}\n`);
  else terminal(world).headline('good', 'rotated', `receipts are signed with ${String(answer.kid)} from now on`);
  return EXIT.yes;
}
