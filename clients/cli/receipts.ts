// `beacon receipts`: lists receipts, shows one, or saves its exact bytes and its proof.

import { stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseReceiptId } from '../../core/ids.ts';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacon, findBeacon } from './beacon.ts';
import { CliFailure, EXIT, usage } from './failure.ts';
import { newFile } from './new-file.ts';
import { COLUMNS, newestReceipts, row } from './receipt-list.ts';
import { showReceipt } from './receipt-view.ts';
import { terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = {
  out?: string;
  proof?: string;
  agent?: string;
  tenant?: string;
  kind?: string;
  log?: string;
  limit: string;
  json?: true;
};
/** A checkpoint covers a receipt within a second; the rest is for a busy machine. */
const PROOF_WAIT_SECONDS = 5;

export function define(program: Command, world: World, exits: Exits): void {
  program
    .command('receipts')
    .description('list receipts, newest first; or show one, or save it with its proof')
    .argument('[id]', 'a receipt id; without one, a list')
    .option('--out <file>', 'save the exact bytes (- for stdout)')
    .option('--proof <file>', 'save its proof of inclusion (tlog-proof)')
    .option('--agent <name>')
    .option('--tenant <name>')
    .option('--kind <kind>', 'decision, action, outcome, revocation, …')
    .option('--log <id>', 'another log than the first, by the part of its receipt ids before the dash')
    .option('--limit <n>', 'how many to list', '20')
    .option('--json', 'the stored bytes of one receipt, or the list as a document')
    .action(exits((id: string | undefined, options: Options) => receipts(id, options, world)));
}

async function receipts(id: string | undefined, options: Options, world: World): Promise<number> {
  if (id === undefined) {
    if (options.out || options.proof) throw usage('--out and --proof need a receipt id');
    return list(options, world);
  }
  if (!parseReceiptId(id)) throw usage(`not a receipt id: ${id}`);
  if (options.out && options.proof && resolve(world.cwd, options.out) === resolve(world.cwd, options.proof)) {
    throw usage('--out and --proof name one file');
  }
  const beacon = await findBeacon(world);
  const bytes = await beacon.fetchBytes(`/api/receipts/${id}`);
  const proof = options.proof === undefined ? undefined : await fetchProof(beacon, id);
  if (options.out === '-') world.out(bytes);
  else if (options.out) await save(options.out, bytes, world);
  if (options.proof && proof) await save(options.proof, proof, world);
  if (options.out === '-') return EXIT.yes;
  // Without a newline, so that what is piped or redirected is still the receipt.
  if (options.json) world.out(bytes);
  else showReceipt(readReceipt(bytes), options, world);
  return EXIT.yes;
}

async function fetchProof(beacon: Beacon, id: string): Promise<Uint8Array> {
  const path = `/api/receipts/${id}/proof?wait=${PROOF_WAIT_SECONDS}`;
  return beacon.fetchBytes(path, { timeoutMs: (PROOF_WAIT_SECONDS + 5) * 1000 });
}

async function list(options: Options, world: World): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw usage('--limit is 1 to 1000');
  const { agent, tenant, kind, log } = options;
  const page = await newestReceipts(await findBeacon(world), { agent, tenant, kind, log, limit });
  if (options.json) {
    const documents = page.receipts.map(({ document }) => document);
    world.out(`${JSON.stringify({ receipts: documents, next: page.next, size: page.size })}\n`);
  } else if (page.receipts.length === 0) {
    terminal(world).line(
      page.next > 0 ? `  no receipts from index ${page.next} on; older ones were not looked at` : '  no receipts',
    );
  } else await terminal(world).table(COLUMNS, page.receipts.map(row));
  return EXIT.yes;
}

async function save(name: string, bytes: Uint8Array, world: World): Promise<void> {
  const path = resolve(world.cwd, name);
  try {
    const found = await stat(path).catch(() => undefined);
    // A pipe or a terminal has no place to be taken.
    if (found && !found.isFile()) return await writeFile(path, bytes);
    const file = await newFile(path, found ? found.mode & 0o777 : 0o666);
    await file.fill(bytes);
  } catch (thrown) {
    if (thrown instanceof CliFailure) throw thrown;
    throw usage(`cannot write ${path} (${(thrown as NodeJS.ErrnoException).code})`);
  }
}
