import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_WRITES_PER_COMMIT, SqliteFile } from './sqlite.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
  path = join(folder, 'x.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function table(file: SqliteFile): (key: number) => void {
  file.db.exec('CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY)');
  const insert = file.db.prepare('INSERT INTO t VALUES (?)');
  return (key) => void insert.run(key);
}

/** What another process would find: committed rows only. */
function committed(): number {
  const other = new DatabaseSync(path);
  const row = other.prepare('SELECT count(*) AS n FROM t').get();
  other.close();
  return Number(row?.n);
}

it('keeps the file and its companions from other users', () => {
  const before = process.umask(0);
  try {
    const file = new SqliteFile({ path });
    table(file);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    file.close();
  } finally {
    process.umask(before);
  }
});

it('commits a group after the interval, on flush and on close', async () => {
  const file = new SqliteFile({ path, commitIntervalMs: 20 });
  const put = table(file);
  file.write(() => put(1));
  file.write(() => put(2));
  expect(committed()).toBe(0);
  await expect.poll(committed).toBe(2);
  file.write(() => put(3));
  file.flush();
  expect(committed()).toBe(3);
  file.write(() => put(4));
  file.close();
  expect(committed()).toBe(4);
});

it('commits a group that has grown to its limit', () => {
  const file = new SqliteFile({ path, commitIntervalMs: 60_000 });
  const put = table(file);
  for (let key = 0; key < MAX_WRITES_PER_COMMIT; key++) file.write(() => put(key));
  expect(committed()).toBe(MAX_WRITES_PER_COMMIT);
  file.close();
});

it('commits each write when synced', () => {
  const file = new SqliteFile({ path, synced: true });
  const put = table(file);
  expect(file.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  file.write(() => put(1));
  expect(committed()).toBe(1);
  file.close();
});

it.each([true, false])('undoes work that throws, and only that (synced: %s)', (synced) => {
  const file = new SqliteFile({ path, synced });
  const put = table(file);
  file.write(() => put(1));
  const work = () => {
    put(2);
    file.write(() => put(3));
    throw new Error('no');
  };
  expect(() => file.write(work)).toThrow('no');
  file.write(() => put(4));
  file.close();
  expect(committed()).toBe(2);
});

it('believes nothing more once a group was lost', () => {
  const faults: unknown[] = [];
  const file = new SqliteFile({ path, onFailure: (fault) => faults.push(fault) });
  const put = table(file);
  file.write(() => put(1));
  file.db.exec('ROLLBACK'); // what SQLite does by itself when the disk is full
  expect(() => file.flush()).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(file.writable).toBe(false);
  expect(faults).toHaveLength(1);
  expect(() => file.write(() => put(2))).toThrow(expect.objectContaining({ code: 'unavailable' }));
  file.close();
  expect(committed()).toBe(0);
});

it('on a full disk keeps the work before, or says that it was lost', () => {
  const file = new SqliteFile({ path });
  const put = table(file);
  file.db.exec('CREATE TABLE big (v BLOB); PRAGMA max_page_count = 8');
  const insert = file.db.prepare('INSERT INTO big VALUES (zeroblob(100000))');
  file.write(() => put(1));
  const work = () => {
    put(2);
    insert.run();
  };
  expect(() => file.write(work)).toThrow();
  const { writable } = file;
  file.close();
  expect(committed()).toBe(writable ? 1 : 0);
});

it('refuses what is no database', () => {
  writeFileSync(path, 'certainly not a database file, but longer than a header of one hundred bytes'.repeat(4));
  expect(() => new SqliteFile({ path })).toThrow(expect.objectContaining({ code: 'failed_precondition' }));
});
