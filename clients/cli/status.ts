// `beacon status`: is Beacon there, is it ready, and which logs does it keep.

import type { Command } from 'commander';
import { findBeacon, type Json } from './beacon.ts';
import { CliFailure, EXIT } from './failure.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('status')
    .description('whether Beacon is ready, and its logs')
    .option('--json')
    .action(exits((options: { json?: true }) => status(options, world)));
}

async function status(options: { json?: true }, world: World): Promise<number> {
  const beacon = await findBeacon(world);
  // An answer of "not ready" is an answer; no answer at all has thrown by the next line.
  await beacon.fetchBytes('/healthz');
  const ready = await beacon.fetchBytes('/readyz').then(
    () => true,
    (thrown: unknown) => {
      if (thrown instanceof CliFailure) return false;
      throw thrown;
    },
  );
  const logs = (await beacon.ask('GET', '/api/logs')) as unknown as Json[];
  if (options.json) world.out(`${JSON.stringify({ url: beacon.url, ready, logs })}\n`);
  else {
    const { headline, table } = terminal(world);
    headline(ready ? 'good' : 'bad', ready ? 'ready' : 'not ready', beacon.url);
    await table(
      ['log', 'receipts', 'vkey'],
      logs.map(({ origin, size, vkey }) => [origin, size === null ? 'cannot be read now' : plain(size), vkey]),
    );
  }
  return ready ? EXIT.yes : EXIT.no;
}
