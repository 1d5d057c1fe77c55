// kill -9 under load, again and again: whatever was answered is found, verifies and is in the tree; the tree only grows.

import { afterAll, expect, test } from 'vitest';
import { parseJwks } from '../../core/jwk.ts';
import { parseVkey } from '../../core/ledger/note.ts';
import { verifyInclusion, verifyReceipt } from '../../core/verify.ts';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const ROUNDS = 20;
const CALLERS = 16;
const dataDir = newDataDir();
afterAll(() => removeDataDir(dataDir));

type Log = { readonly origin: string; readonly vkey: string; readonly size: number; readonly prefix: string };

async function signerLog(on: Beacond): Promise<Log> {
  const logs = (await call(on, 'GET', '/api/logs')).body as unknown as Log[];
  return logs.find(({ origin }) => origin.includes('receipt-signer')) as Log;
}

/** Calls as fast as it can until the process is gone; gives every receipt that was answered. */
async function load(on: Beacond, killAfterMs: number): Promise<{ id: string; envelope: string }[]> {
  const answered: { id: string; envelope: string }[] = [];
  let gone = false;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; !gone; i += 1) {
      try {
        const { status, body } = await execute(on, { agent_id: `c${caller}`, code: i % 5 === 0 ? 'rm -rf /' : 'ls' });
        if (status === 200) answered.push({ id: body.receipt_id as string, envelope: JSON.stringify(body.receipt) });
      } catch {
        return;
      }
    }
  });
  setTimeout(() => {
    gone = true;
    on.child.kill('SIGKILL');
  }, killAfterMs);
  await Promise.all(callers);
  await on.end('SIGKILL');
  return answered;
}

test(`${ROUNDS} times kill -9 under load`, { timeout: 300_000 }, async () => {
  let size = 0;
  let checkpointSize = 0;
  let total = 0;
  let pending: { id: string; envelope: string }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const beacond = await startBeacond({ dataDir });
    const log = await signerLog(beacond);
    expect(log.size).toBeGreaterThanOrEqual(size + pending.length);
    size = log.size;
    const checkpoint = await call(
      beacond,
      'GET',
      `${new URL(log.prefix, beacond.http).pathname.replace(/\/$/, '')}/checkpoint`,
    );
    const published = Number(String(checkpoint.body.text).split('\n')[1]);
    expect(published).toBeGreaterThanOrEqual(checkpointSize);
    checkpointSize = published;
    const jwks = await fetch(`${beacond.http}/.well-known/jwks.json`);
    const keys = parseJwks(new Uint8Array(await jwks.arrayBuffer()));
    const auth = { headers: { authorization: `Bearer ${beacond.adminToken}` } };
    // Every answered receipt is byte for byte in the ledger; proofs are checked for a sample, evenly spread.
    const step = Math.max(1, Math.floor(pending.length / 25));
    for (const [i, { id, envelope }] of pending.entries()) {
      const stored = new Uint8Array(await (await fetch(`${beacond.http}/api/receipts/${id}`, auth)).arrayBuffer());
      expect(Buffer.from(stored).toString('utf8')).toBe(envelope);
      if (i % step !== 0) continue;
      expect(verifyReceipt(stored, keys).receiptId).toBe(id);
      const proof = await fetch(`${beacond.http}/api/receipts/${id}/proof?wait=5`, auth);
      expect(proof.status).toBe(200);
      verifyInclusion(stored, new Uint8Array(await proof.arrayBuffer()), [parseVkey(log.vkey)]);
    }
    total += pending.length;
    if (round === ROUNDS) await beacond.end();
    else pending = await load(beacond, 150 + round * 20);
  }
  expect(total).toBeGreaterThan(ROUNDS * 20);
});
