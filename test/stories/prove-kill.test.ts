// A revocation under load is proven from the logs alone: over HTTP as an auditor, then offline from the files saved.

import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

const CLI = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));
const CALLERS = 16;
const run = promisify(execFile);

inBothModes((beacond) => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-prove-'));
  let saved: string;
  const keys = ['--key', join(folder, 'jwks.json'), '--key', join(folder, 'vkeys')];
  let auditor: string;
  let revocationId: string;

  beforeAll(async () => {
    auditor = String((await call(beacond, 'POST', '/api/tokens', { role: 'auditor' }, beacond.adminToken)).body.token);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
  });

  type Proof = {
    proven: boolean;
    code?: string;
    reinstated: boolean;
    logs: {
      fence_index: number;
      allows_before: number;
      last_allow_index: number | null;
      allows_after_in_scope: string[];
    }[];
  };

  async function prove(
    argv: string[],
    env: Record<string, string> = { BEACON_URL: beacond.http, BEACON_TOKEN: auditor },
  ) {
    const command = [CLI, 'prove-kill', revocationId, '--json', ...argv];
    const options = { env: { PATH: process.env.PATH ?? '', HOME: folder, ...env } };
    const { stdout, code } = await run(process.execPath, command, options).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (failed: { stdout: string; code: number }) => failed,
    );
    return { exit: code, proof: JSON.parse(stdout) as Proof };
  }

  let agent: string;
  let tries = 0;
  const change = (operation: string) => {
    const revocation = { scope: `agent:local/${agent}`, operation, reason: 'story' };
    return call(beacond, 'POST', '/api/revocations', revocation, beacond.adminToken);
  };

  test('revoked while 16 callers propose: the proof holds, and the last ALLOW stands before the fence', async () => {
    // Each try has a name and a folder of its own: those of the one before are revoked and full.
    agent = `runaway-${++tries}`;
    saved = join(folder, `logs-${tries}`);
    const seen = { allowed: 0, denied: 0, lateAllows: 0 };
    const early: unknown[] = [];
    let done = false;
    let revoking = false;
    let stopped = false;
    const caller = async () => {
      while (!done) {
        const askedAfter = stopped;
        const { body } = await execute(beacond, { agent_id: agent });
        if (body.decision === 'ALLOW') seen.allowed += 1;
        else seen.denied += 1;
        if (body.decision !== 'ALLOW' && !revoking) early.push(body);
        if (askedAfter && body.decision === 'ALLOW') seen.lateAllows += 1;
      }
    };
    const callers = Array.from({ length: CALLERS }, caller);
    const underWay = () => expect(seen.allowed, JSON.stringify(early.slice(0, 3))).toBeGreaterThan(CALLERS);
    let body: Record<string, unknown>;
    try {
      await vi.waitFor(underWay, { timeout: 30_000 });
      revoking = true;
      ({ body } = await change('revoke'));
      stopped = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
    } finally {
      done = true;
      await Promise.all(callers);
    }
    revocationId = String(body.revocation_id);
    expect(seen.denied).toBeGreaterThan(0);
    expect(seen.lateAllows).toBe(0);

    const { exit, proof } = await prove(['--save', saved]);
    expect(proof).toMatchObject({
      proven: true,
      scope: `agent:local/${agent}`,
      operation: 'revoke',
      reinstated: false,
    });
    expect(exit).toBe(0);
    const fenced = body.logs as { origin: string; fence_index: number }[];
    expect(proof.logs.map((log) => log.fence_index).sort()).toEqual(fenced.map((log) => log.fence_index).sort());
    expect(proof.logs.reduce((sum, log) => sum + log.allows_before, 0)).toBe(seen.allowed);
    for (const log of proof.logs) {
      // One signer may have had all of them.
      expect(log.last_allow_index ?? -1).toBeLessThan(log.fence_index);
      expect(log.allows_after_in_scope).toEqual([]);
    }
  });

  test('the time to stop is published', async () => {
    expect(await beacond.metrics()).toMatch(
      /beacon_revocation_duration_seconds_count\{level="(BARRIER|DRAINED)"\} [1-9]/,
    );
  });

  test('offline, from the saved files and keys alone; not with other keys, not after one byte has changed', async () => {
    const fetched = async (path: string) => (await fetch(beacond.http + path)).text();
    writeFileSync(join(folder, 'jwks.json'), await fetched('/.well-known/jwks.json'));
    const logs = JSON.parse(await fetched('/api/logs')) as { vkey: string; origin: string }[];
    writeFileSync(join(folder, 'vkeys'), logs.map(({ vkey }) => `${vkey}\n`).join(''));
    expect((await prove(['--logs', saved, ...keys], {})).proof).toMatchObject({ proven: true });
    writeFileSync(join(folder, 'one'), `${logs[0]?.vkey}\n`);
    const few = await prove(['--logs', saved, '--key', join(folder, 'jwks.json'), '--key', join(folder, 'one')], {});
    expect(few).toMatchObject({ exit: 1, proof: { proven: false, code: 'unknown_key' } });

    const signerLog = join(saved, String(logs[0]?.origin.split('/').at(-1)), 'tile', 'entries');
    const names = readdirSync(signerLog, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(^|\/)\d+$/.test(name),
    );
    const spoilt = join(signerLog, names[0] as string);
    const bytes = readFileSync(spoilt);
    writeFileSync(spoilt, bytes.subarray(0, -1));
    appendFileSync(spoilt, Buffer.of(((bytes.at(-1) as number) + 1) % 256));
    const { exit, proof } = await prove(['--logs', saved, ...keys], {});
    expect(exit).toBe(1);
    expect(proof.proven).toBe(false);
  });

  test('reinstated, the agent runs again, and the proof still holds', async () => {
    expect((await change('reinstate')).status).toBe(200);
    expect((await execute(beacond, { agent_id: agent })).body.decision).toBe('ALLOW');
    const { exit, proof } = await prove([]);
    expect(proof).toMatchObject({ proven: true, reinstated: true });
    expect(exit).toBe(0);
  });

  test('wrong usage 2, a caller who may not read the logs 1, nobody there 3', async () => {
    expect((await prove(['--logs', saved], {})).exit).toBe(2);
    expect((await prove([], { BEACON_URL: beacond.http })).exit).toBe(1);
    expect((await prove([], { BEACON_URL: 'http://127.0.0.1:9' })).exit).toBe(3);
  });
});
