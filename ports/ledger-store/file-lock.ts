// Nobody but one store writes a ledger folder. Node has no flock; an exclusive SQLite transaction is one that the kernel
// drops with the process, however it ends, and that refuses a second opener in the same process too. Beside the lock
// stands who has it: a store that finds another's name there has lost it, whatever its own process believes.

import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { BeaconError } from '../../core/errors.ts';

/** How often one that waits looks whether the lock is free: the most a take-over is late by. */
export const LOCK_POLL_MS = 100;

export type Lock = {
  release(): void;
  /** False once somebody else has the folder: the lock file was removed or replaced, or its volume lost track of locks. */
  isHeld(): Promise<boolean>;
};

export type Waiting = {
  /** Told once, when the lock was not free. */
  readonly standingBy: () => void;
  /** Ends the wait with `unavailable`. */
  readonly signal: AbortSignal;
};

/** Throws `failed_precondition` when somebody else holds the lock. */
export function lockFile(path: string): Lock {
  const database = tryLock(path);
  if (database) return held(path, database);
  const why = `another Beacon has this ledger open${holderOf(path)}: ${path} is locked; stop that one or use another BEACON_DATA_DIR`;
  throw new BeaconError('failed_precondition', why);
}

/** Resolves when the lock is ours. Only the end of the process that has it makes it free, never its silence. */
export async function waitForLock(path: string, { standingBy, signal }: Waiting): Promise<Lock> {
  let waited = false;
  for (;;) {
    if (signal.aborted) throw new BeaconError('unavailable', 'stopped while waiting for the ledger');
    const database = tryLock(path);
    if (database) return held(path, database);
    if (!waited) standingBy();
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function tryLock(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: unknown }).errcode === SQLITE_BUSY) return undefined;
    throw new BeaconError('failed_precondition', `${path} cannot be locked`, { cause });
  }
}

const SQLITE_BUSY = 5;

/** The lock file itself must not be opened again by this process: closing it would drop the kernel's lock. */
function held(path: string, database: DatabaseSync): Lock {
  const token = randomUUID();
  const owner = ownerFile(path);
  const said = { token, pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    writeFileSync(`${owner}.draft`, `${JSON.stringify(said)}\n`, { mode: 0o600 });
    renameSync(`${owner}.draft`, owner);
  } catch (cause) {
    database.close();
    throw new BeaconError('unavailable', `${owner} cannot be written`, { cause });
  }
  return {
    release: () => database.close(),
    isHeld: async () => {
      try {
        return JSON.parse(await readFile(owner, 'utf8')).token === token;
      } catch {
        return false;
      }
    },
  };
}

function ownerFile(path: string): string {
  return `${path}.owner`;
}

/** For people; empty when nobody has said so. */
function holderOf(path: string): string {
  try {
    const { pid, host } = JSON.parse(readFileSync(ownerFile(path), 'utf8'));
    return ` (process ${pid} on ${host})`;
  } catch {
    return '';
  }
}
