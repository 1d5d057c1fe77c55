// One SQLite file, mode 0600, WAL. Either synced (each write is on disk before `write` returns) or write-behind: writes
// join one open transaction, committed after an interval, after so many writes, on flush and on close. All writers of one
// file share that transaction, so what was written together is found together, or not at all, after a crash.

import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { BeaconError } from '../core/errors.ts';

export const COMMIT_INTERVAL_MS = 50;
export const MAX_WRITES_PER_COMMIT = 512;
const BUSY_TIMEOUT_MS = 2_000;
const CACHE_KIB = 32_768;
/** When the helper thread does not keep up, the commit that reaches this moves the rest itself. */
const MAX_WAL_PAGES = 10_000;
const CHECKPOINT_INTERVAL_MS = 50;
const WRITES_BEFORE_CHECKPOINTER = 1_024;

/**
 * Moving the WAL into the file ends in fsync; on the event loop that stalled every caller for 20-80 ms. As text, so that
 * a bundle needs no second file.
 */
const CHECKPOINTER = `
const { workerData } = require('node:worker_threads');
const db = new (require('node:sqlite').DatabaseSync)(workerData.path);
setInterval(() => { try { db.exec('PRAGMA wal_checkpoint(PASSIVE)'); } catch {} }, workerData.everyMs);
`;

export type SqliteOptions = {
  /** A file in a folder of mode 0700, or `:memory:`. */
  readonly path: string;
  /** Commit each write with synchronous=FULL. */
  readonly synced?: boolean;
  readonly commitIntervalMs?: number;
  /** Told once, when a commit failed; every later write throws `unavailable`. */
  readonly onFailure?: (fault: unknown) => void;
};

export class SqliteFile {
  readonly db: DatabaseSync;
  readonly #path: string;
  readonly #synced: boolean;
  readonly #commitIntervalMs: number;
  readonly #onFailure: (fault: unknown) => void;
  readonly #savepoint: { run(): unknown };
  readonly #release: { run(): unknown };
  readonly #undo: { run(): unknown };
  #writes = 0;
  #depth = 0;
  #written = 0;
  #checkpointer: Worker | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: unknown;

  constructor(options: SqliteOptions) {
    this.#path = options.path;
    this.#synced = options.synced ?? false;
    this.#commitIntervalMs = options.commitIntervalMs ?? COMMIT_INTERVAL_MS;
    this.#onFailure = options.onFailure ?? (() => {});
    this.db = openDatabase(options.path, this.#synced);
    this.#savepoint = this.db.prepare('SAVEPOINT work');
    this.#release = this.db.prepare('RELEASE work');
    this.#undo = this.db.prepare('ROLLBACK TO work');
  }

  /** False once a commit failed: what was not committed is gone, so nothing later may be built upon it. */
  get writable(): boolean {
    return this.#failure === undefined;
  }

  /** Runs `work` whole or not at all; what it throws is thrown on. Not for async functions. */
  write<T>(work: () => T): T {
    this.#requireWritable();
    if (this.#depth > 0) return work();
    if (this.#writes === 0) this.#begin();
    this.#writes += 1;
    const result = this.#attempt(work);
    if (this.#synced || this.#writes >= MAX_WRITES_PER_COMMIT) this.#commit();
    return result;
  }

  /** Commits what waits. */
  flush(): void {
    this.#requireWritable();
    if (this.#writes > 0) this.#commit();
  }

  close(): void {
    if (!this.db.isOpen) return;
    try {
      if (this.writable) this.flush();
    } finally {
      clearTimeout(this.#timer);
      void this.#checkpointer?.terminate();
      this.db.close();
    }
  }

  #begin(): void {
    this.db.exec('BEGIN IMMEDIATE');
    if (this.#synced) return;
    this.#timer = setTimeout(() => {
      try {
        if (this.#writes > 0) this.#commit();
      } catch {
        // Told through onFailure; there is no caller to throw to.
      }
    }, this.#commitIntervalMs);
    this.#timer.unref();
  }

  #attempt<T>(work: () => T): T {
    this.#depth = 1;
    try {
      this.#savepoint.run();
      const result = work();
      this.#release.run();
      return result;
    } catch (fault) {
      this.#abandon(fault);
      throw fault;
    } finally {
      this.#depth = 0;
    }
  }

  /** Undoes one failed work. Where SQLite already rolled the whole group back (disk full), earlier writes are lost too. */
  #abandon(fault: unknown): void {
    try {
      if (!this.db.isTransaction) throw fault;
      this.#undo.run();
      this.#release.run();
      if (this.#synced) this.#commit();
    } catch (worse) {
      this.#fail(worse);
    }
  }

  #commit(): void {
    clearTimeout(this.#timer);
    this.#written += this.#writes;
    this.#writes = 0;
    try {
      this.db.exec('COMMIT');
    } catch (fault) {
      this.#fail(fault);
      throw new BeaconError('unavailable', 'the database could not be written', { cause: fault });
    }
    if (!this.#synced) this.#startCheckpointer();
  }

  /** Not before there is something to move: short-lived processes never start the thread. */
  #startCheckpointer(): void {
    if (this.#written < WRITES_BEFORE_CHECKPOINTER || this.#checkpointer || this.#path === ':memory:') return;
    const workerData = { path: this.#path, everyMs: CHECKPOINT_INTERVAL_MS };
    const worker = new Worker(CHECKPOINTER, { eval: true, workerData, execArgv: [], env: {} });
    worker.on('error', () => {});
    worker.unref();
    this.#checkpointer = worker;
  }

  #fail(fault: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = fault ?? new Error('commit failed');
    clearTimeout(this.#timer);
    this.#writes = 0;
    if (this.db.isTransaction) this.db.exec('ROLLBACK');
    this.#onFailure(this.#failure);
  }

  #requireWritable(): void {
    if (this.#failure === undefined) return;
    throw new BeaconError('unavailable', 'the database could not be written', { cause: this.#failure });
  }
}

function openDatabase(path: string, synced: boolean): DatabaseSync {
  if (path !== ':memory:') createPrivately(path);
  try {
    const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${synced ? 'FULL' : 'NORMAL'};
      PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=${synced ? 1_000 : MAX_WAL_PAGES}; PRAGMA cache_size=-${CACHE_KIB}; PRAGMA journal_size_limit=67108864`);
    return db;
  } catch (fault) {
    throw new BeaconError('failed_precondition', `the database ${path} cannot be opened`, { cause: fault });
  }
}

/** SQLite would create it under the umask; -wal and -shm take their mode from it. */
function createPrivately(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    chmodSync(path, 0o600);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
