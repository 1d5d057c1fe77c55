// What a folder may look like when it is opened: torn, damaged, rolled back, in use. Torn tails recover; everything else is
// refused with a reason, or, where nothing is read at the start, found out when it is read. Nothing wrong is ever served.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { failsWith } from './contract.ts';
import { grow, NaiveTree, TEST_LOG, testCheckpoint, testRecord, testRecords } from './contract-records.ts';
import { openFileLedger } from './file.ts';
import type { LedgerStore } from './port.ts';

vi.setConfig({ testTimeout: 60_000 });

const SEGMENT_BYTES = 2_097_152;
const base = mkdtempSync(join(tmpdir(), 'ledger-damage-'));
const SOUND = join(base, 'sound');
const SMALL = join(base, 'small');
/** Leaves behind the first full tile of level 1 that carry enough evidence to push everything before them out of the WAL. */
const HEAVY = 1_200;
const SIZE = 65_600 + HEAVY;
const PUBLISHED = SIZE - 120;
const SMALL_SIZE = 320;
const BATCH = 40;
const tree = new NaiveTree(testRecords(0, SIZE + 1).map((record) => record.leaf));
let copies = 0;

afterAll(() => rmSync(base, { recursive: true, force: true }));

function open(folder: string): Promise<LedgerStore> {
  return openFileLedger({ folder, newLog: TEST_LOG, segmentBytes: SEGMENT_BYTES });
}

beforeAll(async () => {
  const store = await open(SOUND);
  await grow(store, SIZE - HEAVY, 4096);
  for (let start = store.size(); start < SIZE; start += BATCH) {
    if (start === PUBLISHED) await store.publish(await testCheckpoint(store, PUBLISHED));
    await store.append(
      testRecords(start, BATCH).map((record) => ({ ...record, evidence: Buffer.alloc(6_000, start) })),
    );
  }
  await store.close();
  const small = await open(SMALL);
  await grow(small, SMALL_SIZE, BATCH);
  await small.close();
}, 60_000);

function copy(from = SOUND): string {
  const folder = join(base, `copy-${copies++}`);
  cpSync(from, folder, { recursive: true });
  return folder;
}

function flip(path: string, at: number, bit = 0): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  writeFileSync(path, bytes);
}

function segments(folder: string): string[] {
  return readdirSync(join(folder, 'wal'))
    .sort()
    .map((name) => join(folder, 'wal', name));
}

/** Where the frames of a segment begin: every multiple of 64 that carries the mark. */
function frames(path: string): number[] {
  const bytes = readFileSync(path);
  const found: number[] = [];
  for (let at = bytes.indexOf('FRAM'); at >= 0; at = bytes.indexOf('FRAM', at + 1)) if (at % 64 === 0) found.push(at);
  return found;
}

function lastUsed(folder: string): string {
  return segments(folder).findLast((path) => frames(path).length > 0) as string;
}

async function refuses(folder: string, reason: RegExp): Promise<void> {
  const refused = await open(folder).then(
    (store) => store.close().then(() => 'opened'),
    (error) => error,
  );
  expect(refused).toEqual(failsWith('failed_precondition'));
  expect((refused as Error).message).toMatch(reason);
  // A refusal changes nothing and leaves no lock: the operator can look, repair and try again.
  expect(await open(folder).catch((error) => error)).toEqual(refused);
}

async function recovers(folder: string, size: number): Promise<void> {
  const store = await open(folder);
  expect(store.size()).toBe(size);
  expect(Buffer.from(await store.root()).equals(tree.root(0, size))).toBe(true);
  await store.append([testRecord(size)]);
  await store.close();
  const again = await open(folder);
  expect([again.size(), Buffer.from(await again.root()).equals(tree.root(0, size + 1))]).toEqual([size + 1, true]);
  await again.close();
}

describe('a sound folder', () => {
  test('opens, and the WAL no longer holds what the tiles do', async () => {
    const folder = copy();
    expect(segments(folder).length).toBeLessThan(4);
    expect(segments(folder)[0]).not.toMatch(/0000000001/);
    const store = await open(folder);
    expect(store.checkpoint()?.size).toBe(PUBLISHED);
    const sample = [
      ...(await store.scan(0, 300)),
      ...(await store.scan(65_500, 300)),
      ...(await store.scan(SIZE - 100, 100)),
    ];
    for (const { index, leaf } of sample) expect(Buffer.from(leaf)).toEqual(testRecord(index).leaf);
    expect(sample).toHaveLength(700);
    await store.close();
    await recovers(folder, SIZE);
  });

  test('keeps its own name, whatever the opener would call a new log', async () => {
    const folder = copy();
    const store = await openFileLedger({ folder, newLog: { logId: 'ffffffffffff', origin: 'other' } });
    expect([store.logId, store.origin]).toEqual([TEST_LOG.logId, TEST_LOG.origin]);
    await store.close();
  });
});

describe('a torn tail', () => {
  const lastFrame = (folder: string): { path: string; at: number; bytes: Buffer } => {
    const path = lastUsed(folder);
    return { path, at: frames(path).at(-1) as number, bytes: readFileSync(path) };
  };
  const recovered = SMALL_SIZE - BATCH;

  test.each([1, 20, 47, 48, 49, 600, 1000])('the last write stopped after %i bytes', async (kept) => {
    const folder = copy(SMALL);
    const { path, at, bytes } = lastFrame(folder);
    writeFileSync(path, bytes.fill(0, at + kept));
    await recovers(folder, recovered);
  });

  test.each([0, 1, 2])('sector %i of the last write is missing', async (sector) => {
    const folder = copy(SMALL);
    const { path, at, bytes } = lastFrame(folder);
    const from = Math.max(at, (Math.floor(at / 512) + sector) * 512);
    writeFileSync(path, bytes.fill(0, from, (Math.floor(from / 512) + 1) * 512));
    await recovers(folder, recovered);
  });

  test('the file itself is cut', async () => {
    const folder = copy(SMALL);
    const { path, at } = lastFrame(folder);
    truncateSync(path, at + 700);
    await recovers(folder, recovered);
    expect(readFileSync(path)).toHaveLength(SEGMENT_BYTES);
  });
});

describe('damage in the WAL', () => {
  test('a bad record with others behind it', async () => {
    const folder = copy(SMALL);
    const path = lastUsed(folder);
    const [, second, third] = frames(path) as [number, number, number];
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, second + 100, third));
    await refuses(folder, /bad and/);
  });

  test('any flipped bit of a record, the last one included', async () => {
    const folder = copy(SMALL);
    const path = lastUsed(folder);
    const starts = frames(path);
    const sound = readFileSync(path);
    const lastEnd = sound.lastIndexOf('DONE') + 4;
    for (const start of [starts[0], starts[1], starts.at(-1)] as number[]) {
      const end = starts.find((next) => next > start) ?? lastEnd;
      for (let at = start; at < end; at += at < start + 48 ? 1 : 197) {
        flip(path, at, at % 8);
        await expect(open(folder), `byte ${at - start} of the frame at ${start}`).rejects.toThrow(
          failsWith('failed_precondition') as Error,
        );
        writeFileSync(path, sound);
      }
    }
    for (let at = lastEnd - 4; at < lastEnd; at++) {
      flip(path, at, 3);
      await expect(open(folder)).rejects.toThrow(failsWith('failed_precondition') as Error);
      writeFileSync(path, sound);
    }
  });

  test('a segment header, a missing segment, no WAL at all', async () => {
    const spoiled = copy(SMALL);
    flip(lastUsed(spoiled), 100);
    await refuses(spoiled, /damaged header/);
    const gap = join(base, 'gap');
    const store = await open(gap);
    for (let index = 0; index < 8; index++) {
      await store.append([{ leaf: Buffer.of(1), evidence: Buffer.alloc(1_000_000), tenantId: 't' }]);
    }
    await store.close();
    rmSync(segments(gap)[1] as string);
    await refuses(gap, /segment 2 is missing/);
    const none = copy(SMALL);
    for (const path of segments(none)) rmSync(path);
    await refuses(none, /the WAL is missing/);
  });

  test('a WAL set back to its beginning under tiles that went on', async () => {
    const folder = copy();
    for (const path of segments(folder)) rmSync(path);
    rmSync(join(folder, 'checkpoint'));
    const early = join(base, 'early');
    const store = await open(early);
    await grow(store, 300);
    await store.close();
    cpSync(join(early, 'wal'), join(folder, 'wal'), { recursive: true });
    await refuses(folder, /beyond the WAL/);
  });
});

describe('rolled back or rewritten', () => {
  const published = async (): Promise<Buffer> => {
    const folder = copy(SMALL);
    const store = await open(folder);
    await store.publish(await testCheckpoint(store, SMALL_SIZE));
    await store.close();
    return readFileSync(join(folder, 'checkpoint'));
  };

  test('behind its last checkpoint', async () => {
    const folder = join(base, 'behind');
    const store = await open(folder);
    await grow(store, SMALL_SIZE - 1);
    await store.close();
    writeFileSync(join(folder, 'checkpoint'), await published());
    await refuses(folder, /behind its checkpoint: 319 records, 320/);
  });

  test('the same size with another history', async () => {
    const folder = join(base, 'other-history');
    const store = await open(folder);
    await store.append([testRecord(1)]);
    await grow(store, SMALL_SIZE + 50);
    await store.close();
    writeFileSync(join(folder, 'checkpoint'), await published());
    await refuses(folder, /another root at size 320/);
  });

  test('a checkpoint that is no checkpoint, or of another log', async () => {
    const folder = copy();
    const text = readFileSync(join(folder, 'checkpoint'), 'utf8');
    writeFileSync(join(folder, 'checkpoint'), text.slice(0, 40));
    await refuses(folder, /cannot be read/);
    writeFileSync(join(folder, 'checkpoint'), text.replace('0123456789ab', 'ba9876543210'));
    await refuses(folder, /another log/);
  });

  test('log.json gone, changed, or unreadable', async () => {
    const folder = copy();
    const text = readFileSync(join(folder, 'log.json'), 'utf8');
    rmSync(join(folder, 'log.json'));
    await refuses(folder, /log.json is missing/);
    writeFileSync(join(folder, 'log.json'), text.replace('0123456789ab', '0123456789ac'));
    await refuses(folder, /another log.json/);
    writeFileSync(join(folder, 'log.json'), text.slice(0, 10));
    await refuses(folder, /log.json is damaged/);
  });
});

describe('damage in what the WAL no longer covers', () => {
  test.each(['tile/0/257', 'tile/1/000'])('a flipped bit in %s, on the way to the checkpoint', async (name) => {
    const folder = copy();
    for (const at of [0, 4000, 8191]) {
      flip(join(folder, name), at);
      await refuses(folder, /another root/);
      flip(join(folder, name), at);
    }
    rmSync(join(folder, name));
    await refuses(folder, /missing or damaged/);
  });

  test('a flipped bit in an older tile, in entries, in evidence: an error where it is read, never an answer', async () => {
    for (const [name, lies] of [
      ['tile/0/017', 33],
      ['tile/entries/017', 40],
      ['evidence/017', 60],
    ] as const) {
      const folder = copy();
      for (const at of [0, lies, readFileSync(join(folder, name)).length - 1]) {
        flip(join(folder, name), at, at % 8);
        const store = await open(folder);
        await expect(store.read(17 * 256 + 5)).rejects.toThrow(failsWith('internal') as Error);
        await expect(store.scan(16 * 256, 600)).rejects.toThrow(failsWith('internal') as Error);
        await expect(store.entries(17, 256)).rejects.toThrow(failsWith('internal') as Error);
        if (name === 'tile/0/017') {
          await expect(store.tile(0, 17, 256)).rejects.toThrow(failsWith('internal') as Error);
          await expect(store.inclusionProof(17 * 256, SIZE)).rejects.toThrow(failsWith('internal') as Error);
        }
        expect(await store.read(16 * 256)).toMatchObject({ index: 16 * 256 });
        await store.close();
        flip(join(folder, name), at, at % 8);
      }
    }
  });

  test('two bundles of evidence changed places', async () => {
    const folder = copy();
    const other = readFileSync(join(folder, 'evidence/018'));
    writeFileSync(join(folder, 'evidence/017'), other);
    const store = await open(folder);
    await expect(store.read(17 * 256)).rejects.toThrow(failsWith('internal') as Error);
    await store.close();
  });
});

describe('one opener', () => {
  test('a second one in this process, and one in another', async () => {
    const folder = join(base, 'locked');
    const store = await open(folder);
    await expect(open(folder)).rejects.toThrow(failsWith('failed_precondition') as Error);
    const program = `
      const { openFileLedger } = await import(${JSON.stringify(new URL('./file.ts', import.meta.url).href)});
      const answer = await openFileLedger({ folder: ${JSON.stringify(folder)}, newLog: {} }).then(() => 'opened', (e) => e.code);
      console.log(answer);`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(other.stdout.trim()).toBe('failed_precondition');
    await store.append([testRecord(0)]);
    await store.close();
    await (await open(folder)).close();
  });
});

describe('erasing', () => {
  test('leaves no trace in any file, leftovers of a crash included', async () => {
    const folder = join(base, 'erased');
    const store = await open(folder);
    const secret = (index: number): Buffer => Buffer.from(`secret-of-the-erased-${index}`);
    const of = (start: number, count: number, tenantId: string) =>
      Array.from({ length: count }, (_, at) => ({ leaf: Buffer.of(1, at), tenantId, evidence: secret(start + at) }));
    await store.append(of(0, 400, 'gone'));
    await store.append(of(0, 10, 'stays'));
    await store.append(of(400, 150, 'gone'));
    expect(await store.eraseEvidence('gone', store.size())).toBe(550);
    await store.append(of(0, 10, 'stays'));
    await store.close();
    writeFileSync(join(folder, 'draft', 'evidence'), secret(1));
    await (await open(folder)).close();
    expect(existsSync(join(folder, 'draft', 'evidence'))).toBe(false);
    const hits: string[] = [];
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'lock') continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'latin1');
      hits.push(...(text.match(/secret-of-the-erased-\d+/g) ?? []));
    }
    expect(new Set(hits)).toEqual(new Set([...Array(10).keys()].map((index) => `secret-of-the-erased-${index}`)));
    const again = await open(folder);
    expect((await again.scan(0, 600)).filter((record) => record.evidence !== undefined)).toHaveLength(20);
    await again.close();
  });
});
