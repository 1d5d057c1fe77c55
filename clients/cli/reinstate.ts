// `beacon reinstate`: takes a revocation back (admin).

import type { Command } from 'commander';
import { change, SCOPES } from './revoke.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('reinstate')
    .description('take a revocation back; needs the admin role and is in the ledger too')
    .argument('<scope>', SCOPES)
    .option('--reason <text>', 'a keyed digest of it is kept with it', 'reinstated from the command line')
    .option('--json')
    .action(
      exits((scope: string, options: { reason: string; json?: true }) => change('reinstate', scope, options, world)),
    );
}
