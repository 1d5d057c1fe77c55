// A ledger that is not what it was refuses to start and says why; a full disk answers nobody with ALLOW.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const folders: string[] = [];
afterAll(() => folders.forEach(removeDataDir));

function folder(): string {
  const path = newDataDir();
  folders.push(path);
  return path;
}

async function decideSome(on: Beacond, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) expect((await execute(on)).body.decision).toBe('ALLOW');
}

test('a ledger rolled back behind its last checkpoint refuses to start, and says why', async () => {
  const dataDir = folder();
  const backup = folder();
  let beacond = await startBeacond({ dataDir });
  await decideSome(beacond, 5);
  await beacond.end();
  cpSync(join(dataDir, 'data'), join(backup, 'data'), { recursive: true });
  beacond = await startBeacond({ dataDir });
  await decideSome(beacond, 5);
  await beacond.end();
  const checkpoint = ['data', 'ledger', 'receipt-signer', 'checkpoint'];
  cpSync(join(dataDir, ...checkpoint), join(backup, ...checkpoint));
  await expect(startBeacond({ dataDir: backup })).rejects.toThrow(/behind|checkpoint/i);
});

test('derived state that knows more than the ledger refuses to start', async () => {
  const dataDir = folder();
  const backup = folder();
  let beacond = await startBeacond({ dataDir });
  await decideSome(beacond, 3);
  await beacond.end();
  cpSync(join(dataDir, 'data'), join(backup, 'data'), { recursive: true });
  beacond = await startBeacond({ dataDir });
  await decideSome(beacond, 3);
  await beacond.end();
  rmSync(join(dataDir, 'data', 'ledger', 'receipt-signer'), { recursive: true });
  cpSync(join(backup, 'data', 'ledger', 'receipt-signer'), join(dataDir, 'data', 'ledger', 'receipt-signer'), {
    recursive: true,
  });
  await expect(startBeacond({ dataDir })).rejects.toThrow(/ahead|reflect/i);
});

test('without its state files a Beacon rebuilds them from the ledger', async () => {
  const dataDir = folder();
  let beacond = await startBeacond({ dataDir });
  const first = await execute(beacond, { idempotency_key: 'kept' });
  await beacond.end();
  for (const name of readdirSync(join(dataDir, 'data'))) {
    if (name.startsWith('state.db')) rmSync(join(dataDir, 'data', name));
  }
  beacond = await startBeacond({ dataDir });
  const again = await execute(beacond, { idempotency_key: 'kept' });
  expect(again.body).toMatchObject({ receipt_id: first.body.receipt_id, decision: 'ALLOW', repeated_answer: true });
  const { status } = await call(beacond, 'GET', `/api/actions/${first.body.action_id}`);
  expect(status).toBe(200);
  await beacond.end();
});

const mountable = process.getuid?.() === 0 && existsSync('/proc/self/mounts');

test.skipIf(!mountable)(
  'on a full disk: 503, never ALLOW, not ready but alive (needs root for a small tmpfs)',
  async () => {
    const place = folder();
    const disk = join(place, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=112m,mode=0700', 'tmpfs', disk]);
    try {
      const beacond = await startBeacond({ dataDir: disk, env: { HOME: place } });
      await decideSome(beacond, 3);
      fill(join(disk, 'filler'));
      let refused = 0;
      for (let i = 0; i < 3_000 && refused < 5; i += 1) {
        const padding = 'x'.repeat(20_000 + i);
        const { status, body } = await execute(beacond, { code: `cat ${padding}` });
        if (status === 503) refused += 1;
        else expect(status).toBe(200);
        if (refused > 1) expect(body.decision).toBeUndefined();
      }
      expect(refused).toBe(5);
      expect((await call(beacond, 'GET', '/healthz')).status).toBe(200);
      expect((await call(beacond, 'GET', '/readyz')).status).toBe(503);
      await beacond.end('SIGKILL');
      rmSync(join(disk, 'filler'));
      const back = await startBeacond({ dataDir: disk, env: { HOME: place } });
      expect((await execute(back)).body.decision).toBe('ALLOW');
      await back.end();
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);

/** Takes every byte that is left. */
function fill(path: string): void {
  const chunk = Buffer.alloc(1 << 20, 1);
  for (const size of [1 << 20, 4096]) {
    try {
      while (true) writeFileSync(path, chunk.subarray(0, size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  expect(statSync(path).size).toBeGreaterThan(0);
}
