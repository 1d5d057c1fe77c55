// `beacon tail`: receipts as they are sealed, one line each, until interrupted.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { findBeacon } from './beacon.ts';
import { EXIT, usage } from './failure.ts';
import { type Listed, listReceipts, newestReceipts, oneLine } from './receipt-list.ts';
import { terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = {
  agent?: string;
  tenant?: string;
  kind?: string;
  log?: string;
  lines: string;
  from?: string;
  count?: string;
  json?: true;
};

const PAGE = 500;
const POLL_MS = 500;

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('tail')
    .description('follow receipts as they are sealed')
    .option('--agent <name>')
    .option('--tenant <name>')
    .option('--kind <kind>')
    .option('--log <id>', 'another log than the first')
    .option('-n, --lines <n>', 'how many of the last ones to begin with', '10')
    .option('--from <index>', 'begin at this index of the ledger instead')
    .option('--count <n>', 'end after so many')
    .option('--json', 'one JSON document a line')
    .action(exits((options: Options) => tail(options, world)));
}

async function tail(options: Options, world: World): Promise<number> {
  const lines = count('--lines', options.lines);
  let left = options.count === undefined ? Number.POSITIVE_INFINITY : count('--count', options.count);
  const beacon = await findBeacon(world);
  const { agent, tenant, kind, log } = options;
  const stop = new AbortController();
  world.onInterrupt(() => stop.abort());
  const look = terminal(world);
  const tell = (listed: Listed) => {
    if (left-- <= 0) return;
    world.out(`${options.json ? JSON.stringify(listed.document) : oneLine(listed, look)}\n`);
  };
  let start = options.from === undefined ? undefined : count('--from', options.from);
  if (start === undefined) {
    // limit 1 still tells the size, where nothing old is wanted.
    const { receipts, size } = await newestReceipts(beacon, { agent, tenant, kind, log, limit: Math.max(1, lines) });
    for (const listed of receipts.slice(0, lines).reverse()) tell(listed);
    start = size;
  }
  while (left > 0 && !stop.signal.aborted) {
    const page = await listReceipts(beacon, { agent, tenant, kind, log, start, limit: PAGE });
    page.receipts.forEach(tell);
    const caughtUp = page.next <= start || page.next >= page.size;
    start = Math.max(start, page.next);
    if (caughtUp && left > 0) await sleep(POLL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  return EXIT.yes;
}

function count(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`${name} is a whole number`);
  return Number(text);
}
