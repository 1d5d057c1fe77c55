// Whole logs for those who check them: fetched from Beacon, or read from a folder that mirrors what it serves
// (`<log>/checkpoint`, `<log>/tile/entries/…`, C2SP tlog-tiles). Nothing here is trusted; who reads verifies.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogCopy } from '../../core/kill-proof/prove.ts';
import { type Checkpoint, readCheckpoint } from '../../core/ledger/checkpoint.ts';
import { entryTilePath } from '../../core/ledger/tiles.ts';
import { bundlesOf } from '../../core/ledger/whole-log.ts';
import type { Beacon, Json } from './beacon.ts';
import { CliFailure, unreachable, usage } from './failure.ts';
import { plain } from './terminal.ts';

/** A checkpoint covers what was there within a second; the rest is for a busy machine. */
const CHECKPOINT_WAIT_MS = 10_000;
const CHECKPOINT_POLL_MS = 100;

/** Every log Beacon keeps, each under a checkpoint that covers all it held when asked. Entries need an auditor. */
export async function fetchLogs(beacon: Beacon): Promise<LogCopy[]> {
  const logs = (await beacon.ask('GET', '/api/logs')) as unknown as Json[];
  if (!Array.isArray(logs)) throw unreachable('the answer to /api/logs is not a list');
  return Promise.all(
    logs.map(async ({ prefix, size, origin }) => ({
      checkpoint: await fetchCheckpoint(beacon, `${prefix}/checkpoint`, Number(size)).catch(awayAs(origin)),
      bundles: (checkpoint: Checkpoint) => fetchBundles(beacon, String(prefix), checkpoint.size),
    })),
  );
}

/** Its signer may be down: nothing is proven without all logs, so say whose is missing. */
function awayAs(origin: unknown) {
  return (thrown: unknown): never => {
    if (!(thrown instanceof CliFailure) || thrown.code !== 'unavailable') throw thrown;
    throw unreachable(`the log ${plain(origin)} cannot be read now: ${thrown.message}`);
  };
}

async function fetchCheckpoint(beacon: Beacon, path: string, size: number): Promise<Uint8Array> {
  for (let waitedMs = 0; ; waitedMs += CHECKPOINT_POLL_MS) {
    const note = await beacon.fetchBytes(path);
    if (readCheckpoint(note).size >= size) return note;
    if (waitedMs >= CHECKPOINT_WAIT_MS) throw unreachable(`no checkpoint at ${path} covers all of its log`);
    await new Promise((resolve) => setTimeout(resolve, CHECKPOINT_POLL_MS));
  }
}

async function* fetchBundles(beacon: Beacon, prefix: string, size: number): AsyncGenerator<Uint8Array> {
  for (const tile of bundlesOf(size)) yield beacon.fetchBytes(`${prefix}/${entryTilePath(tile)}`);
}

/** The logs in a folder: each is a folder in it that holds a checkpoint. */
export async function readLogs(folder: string): Promise<LogCopy[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch((thrown: NodeJS.ErrnoException) => {
    throw usage(`cannot read ${folder} (${thrown.code})`);
  });
  const copies: LogCopy[] = [];
  for (const name of names
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()) {
    const checkpoint = await readFile(join(folder, name, 'checkpoint')).catch(() => undefined);
    if (checkpoint) copies.push({ checkpoint, bundles: ({ size }) => readBundles(join(folder, name), size) });
  }
  if (copies.length === 0) throw usage(`${folder} holds no log: a log is a folder with a checkpoint and tile/entries`);
  return copies;
}

async function* readBundles(folder: string, size: number): AsyncGenerator<Uint8Array> {
  for (const tile of bundlesOf(size)) {
    const path = join(folder, entryTilePath(tile));
    // A bundle that is not there ends the log early, and the reader says so.
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) return;
    yield bytes;
  }
}

/** Copies that also leave what is read in a folder, for readLogs() elsewhere. */
export function savingTo(folder: string, copies: readonly LogCopy[]): LogCopy[] {
  const save = async (path: string, bytes: Uint8Array) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  };
  return copies.map(({ checkpoint, bundles }) => ({
    checkpoint,
    bundles: async function* (verified) {
      // The origin becomes a folder's name, and a Beacon nobody knows could have chosen it.
      const logId = /\/([0-9a-f]{12})$/.exec(verified.origin)?.[1];
      if (logId === undefined) throw usage(`cannot save a log of origin ${verified.origin}`);
      const log = join(folder, logId);
      await save(join(log, 'checkpoint'), checkpoint);
      const tiles = bundlesOf(verified.size);
      for await (const bytes of bundles(verified)) {
        const { value: tile } = tiles.next();
        if (tile) await save(join(log, entryTilePath(tile)), bytes);
        yield bytes;
      }
    },
  }));
}
