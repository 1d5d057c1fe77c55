// The real Codex CLI and Claude Code, each with a scripted model and our hook, against a real Beacon: what is denied
// leaves no trace and the model is told why; what is allowed runs; without Beacon, or with one that lies, nothing does.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeBeacon, makeSigner, startFakeBeacon } from '../../clients/hooks/beacon.fixture.ts';
import { type Beacond, call, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { type Agent, claudeCode, codex, EFFECT, type Ran, type Run } from './agents.ts';

const MAIN = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));
const RECEIPT = /Receipt [0-9a-f]{12}-\d+/;
const HARMLESS = `echo done > ${EFFECT}`;
/** Makes the file, then something denied; rm knows no such option, so a gate that failed would harm nobody. */
const DESTRUCTIVE = `echo done > ${EFFECT} && rm -rf / --no-such-option`;

/** As an installed hook is written: whatever keeps the hook itself from running refuses, too. */
function hookCommand(agent: Agent, ...args: string[]): string {
  const words = [process.execPath, MAIN, 'hook', agent.surface, ...args].map((word) => `'${word}'`);
  return `${words.join(' ')} || { echo 'Beacon: refused, the hook did not decide.' >&2; exit 2; }`;
}

function expectBlocked(ran: Ran, told: RegExp): void {
  expect({ effect: ran.effect, output: ran.output }).toEqual({ effect: undefined, output: expect.any(String) });
  expect(ran.toolResults, ran.output).toHaveLength(1);
  expect(ran.toolResults[0]).toMatch(told);
}

function expectRan(ran: Ran): void {
  expect(ran.effect, `${ran.toolResults}\n${ran.output}`).toBe('done\n');
}

describe.each([codex, claudeCode])('$surface', (agent) => {
  describe.skipIf(agent.program === undefined)('the client that npm test installs', () => {
    const run = (command: string, options: Omit<Run, 'steps'>) =>
      agent.run({ steps: [agent.shell(command)], ...options });

    describe('with Beacon', () => {
      const dataDir = newDataDir();
      let beacond: Beacond;
      let clientFile: string;
      beforeAll(async () => {
        beacond = await startBeacond({ dataDir });
        clientFile = await writeClientFile(beacond, dataDir);
      });
      afterAll(async () => {
        await beacond.end();
        removeDataDir(dataDir);
      });

      test('a denied command leaves no side effect, and the model is told the reason and the receipt', async () => {
        const ran = await run(DESTRUCTIVE, { hook: hookCommand(agent), env: { BEACON_URL: beacond.http } });
        expectBlocked(ran, RECEIPT);
        expect(ran.toolResults[0]).toMatch(/\(beacon\.[a-z_.]+: [a-z_]+\)/);
      });

      test('an allowed command runs', async () => {
        expectRan(await run(HARMLESS, { hook: hookCommand(agent), env: { BEACON_URL: beacond.http } }));
      });

      test('with a client file: allowed runs, denied does not, and the environment does not matter', async () => {
        const hook = hookCommand(agent, '--client-file', clientFile);
        const env = { BEACON_URL: 'http://127.0.0.1:9', BEACON_DATA_DIR: '/nonexistent' };
        expectRan(await run(HARMLESS, { hook, env }));
        expectBlocked(await run(DESTRUCTIVE, { hook, env }), RECEIPT);
      });

      test('a revoked agent is refused, and reinstated it is not', async () => {
        const hook = hookCommand(agent, '--client-file', clientFile);
        const say = (operation: string) =>
          call(
            beacond,
            'POST',
            '/api/revocations',
            { scope: 'agent:acme/bot', operation, reason: 'test' },
            beacond.adminToken,
          );
        expect((await say('revoke')).status).toBe(200);
        expectBlocked(await run(HARMLESS, { hook }), RECEIPT);
        expect((await say('reinstate')).status).toBe(200);
        expectRan(await run(HARMLESS, { hook }));
      });
    });

    test('with Beacon stopped: refused', async () => {
      const env = { BEACON_URL: 'http://127.0.0.1:9' };
      expectBlocked(await run(HARMLESS, { hook: hookCommand(agent), env }), /no valid decision/);
    });

    test('with a hook that is missing: refused', async () => {
      const hook = hookCommand(agent).replace(MAIN, '/nonexistent/beacon.mjs');
      expectBlocked(await run(HARMLESS, { hook }), /did not decide/);
    });

    describe('with somebody else in the place of Beacon', () => {
      let fake: FakeBeacon;
      beforeAll(async () => {
        fake = await startFakeBeacon();
      });
      afterAll(() => fake.close());

      test('garbage for an answer: refused', async () => {
        fake.script = { instead: (response) => response.end('{"decision":"ALLOW"}') };
        const env = { BEACON_URL: fake.url };
        expectBlocked(await run(HARMLESS, { hook: hookCommand(agent), env }), /no valid decision/);
      });

      test('a forged receipt: refused; the real signer: runs', async () => {
        const hook = hookCommand(agent, '--client-file', fake.clientFile());
        fake.script = { signer: makeSigner() };
        expectBlocked(await run(HARMLESS, { hook }), /unknown_key/);
        fake.script = {};
        expectRan(await run(HARMLESS, { hook }));
      });

      test('a warning runs', async () => {
        fake.script = { route: 'WARN' };
        expectRan(await run(HARMLESS, { hook: hookCommand(agent), env: { BEACON_URL: fake.url } }));
      });
    });
  });
});

/** As an administrator would install it: an agent token of its own, and the public keys as Beacon publishes them. */
async function writeClientFile(beacond: Beacond, folder: string): Promise<string> {
  const { adminToken } = beacond;
  const minted = await call(beacond, 'POST', '/api/agents/bot/tokens', { tenant_id: 'acme' }, adminToken);
  const { body: jwks } = await call(beacond, 'GET', '/.well-known/jwks.json');
  const path = join(folder, 'client.json');
  const { token, agent_id, tenant_id } = minted.body;
  writeFileSync(path, JSON.stringify({ url: beacond.http, token, agent_id, tenant_id, jwks }));
  chmodSync(path, 0o600);
  return path;
}
