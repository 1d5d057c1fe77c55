// A newcomer's path: propose, be allowed or denied, and verify what was said with nothing but public keys.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { call, execute, removeDataDir } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const CLI = fileURLToPath(new URL('../../bin/beacon.mjs', import.meta.url));
const files = mkdtempSync(join(tmpdir(), 'beacon-newcomer-'));
const file = (name: string) => join(files, name);

afterAll(() => removeDataDir(files));

/** Runs the CLI where no Beacon can be found, so that what verifies verifies offline. */
function verify(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'verify', '--json', ...args], {
    env: { PATH: process.env.PATH, HOME: files, BEACON_URL: 'http://127.0.0.1:9' },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

inBothModes((beacond) => {
  async function fetchProof(receiptId: string, name: string): Promise<string> {
    const { body, status } = await call(
      beacond,
      'GET',
      `/api/receipts/${receiptId}/proof?wait=5`,
      undefined,
      beacond.adminToken,
    );
    expect(status).toBe(200);
    writeFileSync(file(name), body.text as string);
    return file(name);
  }

  async function fetchKeys(): Promise<{ jwks: string; vkey: string }> {
    const jwks = await call(beacond, 'GET', '/.well-known/jwks.json');
    writeFileSync(file('jwks.json'), JSON.stringify(jwks.body));
    const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { origin: string; vkey: string }[];
    const signers = logs.filter(({ origin }) => origin.includes('receipt-signer'));
    writeFileSync(file('log.vkey'), signers.map(({ vkey }) => `${vkey}\n`).join(''));
    return { jwks: file('jwks.json'), vkey: file('log.vkey') };
  }

  test('a harmless proposal is allowed, with receipt, constraints and action', async () => {
    const { status, body } = await execute(beacond);
    expect(status).toBe(200);
    expect(body).toMatchObject({ decision: 'ALLOW', route: 'ALLOW', durability: 'fdatasync' });
    expect(body.receipt_id).toMatch(/^[0-9a-f]{12}-\d+$/);
    expect(body.action_id).toMatch(/^act_/);
    expect(Array.isArray(body.constraints)).toBe(true);
    expect(body.enforceability).not.toBe('pre_execution_gate');
  });

  test('a destructive proposal is denied, naming its rule, with a receipt', async () => {
    const { status, body } = await execute(beacond, { code: 'rm -rf /' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ decision: 'DENY', route: 'DENY' });
    const reasons = body.reasons as { rule: string; message: string }[];
    expect(reasons[0]?.rule).toMatch(/^beacon\./);
    expect(body.reason).toBe(reasons[0]?.message);
    expect(body.receipt_id).toMatch(/-\d+$/);
  });

  test('either receipt verifies offline with the public keys alone; with any byte flipped it is refused', async () => {
    const { jwks, vkey } = await fetchKeys();
    for (const code of ['ls', 'rm -rf /']) {
      const { body } = await execute(beacond, { code });
      const stored = await fetch(`${beacond.http}/api/receipts/${body.receipt_id}`, {
        headers: { authorization: `Bearer ${beacond.adminToken}` },
      });
      const bytes = Buffer.from(await stored.arrayBuffer());
      writeFileSync(file('receipt.json'), bytes);
      // The answer carries the same receipt.
      expect(JSON.stringify(body.receipt)).toBe(bytes.toString('utf8'));
      const proof = await fetchProof(body.receipt_id as string, 'receipt.tlog-proof');
      const good = verify(file('receipt.json'), '--key', jwks, '--key', vkey, '--proof', proof);
      expect(good.output).toContain('"verified":true');
      expect(good.status).toBe(0);
      for (const at of [0, 20, 60, Math.floor(bytes.length / 2), bytes.length - 40, bytes.length - 1]) {
        const spoiled = Buffer.from(bytes);
        spoiled[at] = (spoiled[at] as number) ^ 1;
        writeFileSync(file('spoiled.json'), spoiled);
        const bad = verify(file('spoiled.json'), '--key', jwks);
        expect(bad.status).toBe(1);
        expect(bad.output).toMatch(/malformed|non_canonical|keyid_mismatch|unknown_key|bad_signature/);
      }
    }
  });

  test('after a key rotation old and new receipts verify under the published keys', async () => {
    const ask = (method: string, path: string, body?: unknown) => call(beacond, method, path, body, beacond.adminToken);
    const before = await execute(beacond, { code: 'ls' });
    const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { origin: string; prefix: string }[];
    for (const { prefix } of logs.filter(({ origin }) => origin.includes('receipt-signer'))) {
      expect((await call(beacond, 'POST', `/api${prefix}/rotate-key`, {})).status).toBe(401);
      expect((await ask('POST', `/api${prefix}/rotate-key`, {})).status).toBe(200);
    }
    const after = await execute(beacond, { code: 'ls' });
    const keyOf = (answer: typeof before) =>
      (answer.body.receipt as { signatures: { keyid: string }[] }).signatures[0]?.keyid;
    expect(keyOf(after)).not.toBe(keyOf(before));
    const { jwks } = await fetchKeys();
    for (const [i, { body }] of [before, after].entries()) {
      writeFileSync(file(`rotated-${i}.json`), JSON.stringify(body.receipt));
      expect(verify(file(`rotated-${i}.json`), '--key', jwks).status).toBe(0);
    }
  });
});
