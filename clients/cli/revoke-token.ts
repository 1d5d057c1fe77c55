// `beacon revoke-token`: one token opens nothing any more. To stop an agent whatever it shows, revoke `agent:TENANT/NAME`.

import type { Command } from 'commander';
import { findBeacon } from './beacon.ts';
import { EXIT } from './failure.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('revoke-token')
    .description('let nobody in with this token any more, for ever (operator)')
    .argument('<token id>', 'as shown when it was minted')
    .option('--json')
    .action(exits((id: string, options: { json?: true }) => revokeToken(id, options, world)));
}

async function revokeToken(id: string, options: { json?: true }, world: World): Promise<number> {
  const beacon = await findBeacon(world);
  const answer = await beacon.ask('DELETE', `/api/tokens/${encodeURIComponent(id)}`);
  if (options.json) world.out(`${JSON.stringify(answer)}\n`);
  else terminal(world).headline('good', 'revoked', `token ${plain(answer.token_id)} opens nothing any more`);
  return EXIT.yes;
}
