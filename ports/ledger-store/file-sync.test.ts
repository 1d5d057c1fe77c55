// A quick disk is waited for on the calling thread, a slow one and a long frame are not; a disk that grows slow or quick is
// noticed.

import { expect, test } from 'vitest';
import type { FileDoor } from './file-door.ts';
import { PacedSync } from './file-sync.ts';

const SMALL = 4_096;
const LONG = 65_536;

/** Spends its time on the calling thread, as a sync there does. */
function disk(slow: { ms: number }) {
  const syncs = { here: 0, away: 0 };
  const door = {
    async datasync() {
      syncs.away += 1;
      await new Promise((resolve) => setTimeout(resolve, slow.ms));
    },
    datasyncNow() {
      syncs.here += 1;
      for (const until = performance.now() + slow.ms; performance.now() < until; );
    },
  } as unknown as FileDoor;
  return { syncs, door };
}

test('a quick disk is waited for here, unless much is written', async () => {
  const { syncs, door } = disk({ ms: 0 });
  const sync = new PacedSync();
  for (let i = 0; i < 20; i += 1) await sync.datasync(door, SMALL);
  expect(syncs).toEqual({ here: 20, away: 0 });
  await sync.datasync(door, LONG);
  expect(syncs).toEqual({ here: 20, away: 1 });
});

test('one long stall keeps the next ones off the calling thread', async () => {
  const slow = { ms: 100 };
  const { syncs, door } = disk(slow);
  const sync = new PacedSync();
  await sync.datasync(door, SMALL);
  slow.ms = 0;
  for (let i = 0; i < 19; i += 1) await sync.datasync(door, SMALL);
  expect(syncs).toEqual({ here: 1, away: 19 });
});

test('a disk that stays slow is never waited for here again', async () => {
  const { syncs, door } = disk({ ms: 25 });
  const sync = new PacedSync();
  for (let i = 0; i < 70; i += 1) await sync.datasync(door, SMALL);
  expect(syncs).toEqual({ here: 1, away: 69 });
});

test('a sync that failed here is a failure', async () => {
  const fault = new Error('EIO');
  const { door } = disk({ ms: 0 });
  const datasyncNow = () => {
    throw fault;
  };
  await expect(new PacedSync().datasync({ ...door, datasyncNow }, SMALL)).rejects.toBe(fault);
});

test('a disk that is quick again is waited for here again', async () => {
  const slow = { ms: 20 };
  const { syncs, door } = disk(slow);
  const sync = new PacedSync();
  await sync.datasync(door, SMALL);
  slow.ms = 0;
  for (let i = 0; i < 64 * 8; i += 1) await sync.datasync(door, SMALL);
  expect(syncs.here).toBeGreaterThan(20);
});
