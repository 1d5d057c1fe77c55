import { expect, test } from 'vitest';
import { tryApart } from './trial.ts';

/** A module that loops for ever as soon as it is instantiated. */
const ENDLESS = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[8, 1, 0],
  ...[10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b],
]);
const canaries = [new TextEncoder().encode('{}')];
const named = { data: new TextEncoder().encode('{}'), revision: '1', canaries };

test('a policy that never ends holds up nothing, and is refused in time', async () => {
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 10);
  const tried = tryApart({ ...named, wasm: ENDLESS, trial: { limited: [], unlimited: [] } }, 1_000);
  await expect(tried).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('1000 ms'),
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(20);
});

test('what cannot be loaded is refused as such', async () => {
  const tried = tryApart({ ...named, wasm: Uint8Array.of(1, 2, 3), trial: { limited: [], unlimited: [] } });
  await expect(tried).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('cannot be loaded'),
  });
});
