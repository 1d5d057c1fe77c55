import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { LeaderSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryKnownLeader } from '../../ports/known-leader/memory.ts';
import { FollowedLeader } from './leader.ts';

const LOG = 'beacon.local/kill-switch/aaaaaaaaaaaa';
const leader = (epoch: number, origin = LOG) => create(LeaderSchema, { origin, epoch: BigInt(epoch) });

test('of two that lead one log the later is followed, and of two logs the first', async () => {
  const followed = new FollowedLeader();
  await followed.follow(undefined);
  for (const epoch of [3, 7, 7]) await followed.follow(leader(epoch));
  await expect(followed.follow(leader(3))).rejects.toMatchObject({ code: 'failed_precondition' });
  await expect(followed.follow(leader(9, 'other'))).rejects.toMatchObject({ code: 'failed_precondition' });
  await expect(followed.follow(undefined)).rejects.toMatchObject({ code: 'failed_precondition' });
  await followed.follow(leader(8));
});

test('a signer that starts again does not follow one that had been followed by another', async () => {
  const store = new MemoryKnownLeader();
  const before = new FollowedLeader(store);
  await before.follow(leader(3));
  await before.follow(leader(7));
  const after = new FollowedLeader(store);
  await after.load();
  await expect(after.follow(leader(3))).rejects.toMatchObject({ code: 'failed_precondition' });
  await after.follow(leader(7));
});

test('a leader that could not be kept is not acknowledged, and asked for again', async () => {
  const store = new MemoryKnownLeader();
  let full = true;
  const save = store.save.bind(store);
  store.save = (known) => (full ? Promise.reject(new Error('ENOSPC')) : save(known));
  const followed = new FollowedLeader(store);
  await expect(followed.follow(leader(3))).rejects.toThrow('ENOSPC');
  full = false;
  await followed.follow(leader(3));
  expect(await store.load()).toEqual({ origin: LOG, epoch: 3 });
});

test('a later epoch is taken only from a log that holds the leaf of the last one granted at, also by a later start', async () => {
  const store = new MemoryKnownLeader();
  const by = (epoch: number, leafId: string, knownLeafId = '') => {
    return { leader: leader(3), epoch: BigInt(epoch), leafId, knownLeafId };
  };
  const before = new FollowedLeader(store);
  expect(await before.grantedBy(by(3, 'three'))).toBe(true);
  expect(await before.grantedBy(by(3, 'three'))).toBe(true);
  expect(await before.grantedBy(by(5, 'five', 'three'))).toBe(true);
  expect(before.knownEpoch).toBe(5);
  const after = new FollowedLeader(store);
  await after.load();
  expect(after.knownEpoch).toBe(5);
  // It does not say yet: it is told what to say.
  expect(await after.grantedBy(by(7, 'seven'))).toBe(false);
  const others = [by(7, 'seven', 'none'), by(7, 'seven', 'three'), by(5, 'other', 'five'), by(4, 'four'), by(7, '')];
  for (const other of others) {
    await expect(after.grantedBy(other)).rejects.toMatchObject({ code: 'failed_precondition' });
  }
  expect(await after.grantedBy(by(7, 'seven', 'five'))).toBe(true);
});
