// Power loss, replayed: the store runs on a disk that knows what was synced, and every index it ever acknowledged must be
// there, byte for byte, on every disk a power failure could have left behind. Take the datasync out of the WAL's append
// (or the sync out of the settler, the segment's creation or the checkpoint) and this fails.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NaiveTree, TEST_LOG, testCheckpoint } from './contract-records.ts';
import { openFileLedger } from './file.ts';
import type { LedgerRecord, LedgerStore } from './port.ts';
import { type Fate, SimulatedDisk } from './simulated-disk.ts';

const SEGMENT_BYTES = 2_097_152;
const folder = mkdtempSync(join(tmpdir(), 'ledger-power-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small, seeded: a failing round can be run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function record(index: number): LedgerRecord {
  const leaf = Buffer.from(`{"leaf":${index},"pad":"${'x'.repeat(index % 700)}"}`);
  const tenantId = index % 5 === 0 ? 'erased' : 'kept';
  // Large enough that segments roll and bundles settle several times in a run.
  return { leaf, tenantId, evidence: Buffer.alloc(4_000 + (index % 9_000), `${tenantId}-${index};`) };
}

type Moment = { readonly at: number; readonly size: number; readonly published: number; readonly erasedBelow: number };

function open(disk: SimulatedDisk): Promise<LedgerStore> {
  return openFileLedger({ folder, newLog: TEST_LOG, segmentBytes: SEGMENT_BYTES, fileSystem: disk });
}

/** Appends, publishes, erases and reopens, noting after each answer what has been promised by then. */
async function run(disk: SimulatedDisk, random: () => number): Promise<{ moments: Moment[]; attempted: number }> {
  const moments: Moment[] = [{ at: 0, size: 0, published: 0, erasedBelow: 0 }];
  const promise = (change: Partial<Moment>): void => {
    moments.push({ ...(moments.at(-1) as Moment), ...change, at: disk.operations.length });
  };
  let store = await open(disk);
  for (let round = 0; round < 45; round++) {
    const count = 1 + Math.floor(random() * (round % 7 === 0 ? 120 : 30));
    const start = store.size();
    await store.append(Array.from({ length: count }, (_, offset) => record(start + offset)));
    promise({ size: store.size() });
    if (round % 4 === 0) {
      await store.publish(await testCheckpoint(store, store.size() - 1));
      promise({ published: store.size() - 1 });
    }
    if (round === 17 || round === 38) {
      const below = store.size() - 3;
      await store.eraseEvidence('erased', below);
      promise({ erasedBelow: below });
    }
    if (round === 25) {
      await store.close();
      store = await open(disk);
    }
  }
  const attempted = store.size();
  await store.close();
  return { moments, attempted };
}

async function check(disk: SimulatedDisk, promised: Moment, attempted: number, tree: NaiveTree): Promise<number> {
  const store = await open(disk);
  const size = store.size();
  expect(size).toBeGreaterThanOrEqual(promised.size);
  expect(size).toBeLessThanOrEqual(attempted);
  expect(store.checkpoint()?.size ?? 0).toBeGreaterThanOrEqual(promised.published);
  expect(Buffer.from(await store.root()).equals(tree.root(0, size))).toBe(true);
  for (const found of await store.scan(0, size)) {
    const { leaf, evidence, tenantId } = record(found.index);
    const mayBeErased = tenantId === 'erased';
    const isWhole = Buffer.from(leaf).equals(found.leaf) && found.tenantId === tenantId;
    const evidenceFits =
      found.evidence === undefined ? mayBeErased : Buffer.from(evidence as Uint8Array).equals(found.evidence);
    if (!isWhole || !evidenceFits) throw new Error(`record ${found.index} of ${size} came back changed`);
    if (mayBeErased && found.index < promised.erasedBelow) expect(found.evidence).toBeUndefined();
  }
  await store.append([record(size)]);
  await store.close();
  return size + 1;
}

function requireErased(disk: SimulatedDisk, below: number): void {
  for (const [path, bytes] of disk.contents()) {
    for (let at = bytes.indexOf('erased-'); at >= 0; at = bytes.indexOf('erased-', at + 1)) {
      const index = Number(/^erased-(\d+);/.exec(bytes.toString('latin1', at, at + 20))?.[1] ?? Number.NaN);
      if (index < below) throw new Error(`evidence ${index} is still in ${path}`);
    }
  }
}

test('every acknowledged record survives every power loss', { timeout: 120_000 }, async () => {
  const random = seeded(20_260_101);
  const disk = new SimulatedDisk(folder);
  const { moments, attempted } = await run(disk, random);
  const tree = new NaiveTree(Array.from({ length: attempted + 2 }, (_, index) => record(index).leaf));
  const end = disk.operations.length;
  // The moment an answer leaves is the dangerous one; the others are spread over the run.
  const answered = moments.map((moment) => moment.at).filter((_, at) => at % 2 === 0);
  const cuts = [...answered, ...Array.from({ length: 40 }, () => Math.floor(random() * end))];
  for (const [round, cut] of cuts.entries()) {
    const promised = moments.findLast((moment) => moment.at <= cut) as Moment;
    const fate = (['lost', 'chance', 'kept', 'chance'] as Fate[])[round % 4] as Fate;
    const after = disk.crashed(cut, fate, random);
    await check(after, promised, attempted, tree).catch((cause: Error) => {
      throw new Error(`power loss at operation ${cut} of ${end}, unsynced ${fate}: ${cause.message}`, { cause });
    });
    requireErased(after, promised.erasedBelow);
    // And again, in the middle of that recovery or right behind the append that followed it.
    const again = round % 2 === 0 ? after.operations.length : Math.floor(random() * after.operations.length);
    const size = promised.size + (again === after.operations.length ? 1 : 0);
    const survivor = after.crashed(again, fate === 'kept' ? 'lost' : fate, random);
    await check(survivor, { ...promised, size }, attempted + 2, tree).catch((cause: Error) => {
      throw new Error(`second power loss, after operation ${cut} of ${end} (${fate}): ${cause.message}`, { cause });
    });
  }
});

test('what a start found in the page cache only is made durable before it is believed', {
  timeout: 60_000,
}, async () => {
  const random = seeded(7);
  const disk = new SimulatedDisk(folder);
  const { moments, attempted } = await run(disk, random);
  const tree = new NaiveTree(Array.from({ length: attempted + 2 }, (_, index) => record(index).leaf));
  let unsynced = 0;
  for (const moment of moments.filter((_, at) => at % 4 === 1)) {
    // A process killed between a WAL write and its sync: the bytes can be read, and are on no disk.
    for (const cut of [moment.at - 1, moment.at - 2]) {
      const survivor = disk.killed(cut);
      const store = await open(survivor);
      const found = store.size();
      const at = survivor.operations.length;
      await store.close();
      const promised = moments.findLast((earlier) => earlier.at <= cut) as Moment;
      if (found > promised.size) unsynced++;
      await check(survivor.crashed(at, 'lost', random), { ...promised, size: found }, attempted, tree);
    }
  }
  expect(unsynced).toBeGreaterThan(0);
});
