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
