// A client nobody here wrote code for: Python's gRPC, generated from proto/, asks the running gateway for decisions.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { call } from '../beacond.ts';
import { type Fleet, startFleet } from '../separate.ts';

const PYTHON = process.env.TEST_TOOL_PYTHON_GRPC ?? '';
const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));
const CLIENT = fileURLToPath(new URL('./guard_client.py', import.meta.url));
const run = promisify(execFile);

const present = existsSync(PYTHON);
const describeWithPython = present || process.env.CI ? describe : describe.skip;
const name = present ? 'a Python client' : 'a Python client (no python3 >= 3.10 with venv; npm test installs the rest)';

type Said = Readonly<Record<string, string>> & { readonly rules?: readonly string[] };

describeWithPython(name, () => {
  const generated = mkdtempSync(join(tmpdir(), 'beacon-python-'));
  let fleet: Fleet;
  let token: string;
  beforeAll(async () => {
    const protos = readdirSync(join(PROTO, 'beacon/v1')).map((file) => `beacon/v1/${file}`);
    const into = [`--python_out=${generated}`, `--grpc_python_out=${generated}`];
    await run(PYTHON, ['-m', 'grpc_tools.protoc', '-I', PROTO, ...into, ...protos]);
    fleet = await startFleet();
    const minted = await call(fleet, 'POST', '/api/agents/snake/tokens', { tenant_id: 'local' }, fleet.adminToken);
    token = String(minted.body.token);
    const isAllowed = async () => expect((await ask('other', 'ls')).decision).toBe('DECISION_ALLOW');
    await vi.waitFor(isAllowed, { timeout: 30_000 });
  });
  afterAll(async () => {
    await fleet?.stop();
    rmSync(generated, { recursive: true, force: true });
  });

  async function ask(agent: string, command: string, ...credential: string[]): Promise<Said> {
    const argv = [CLIENT, generated, fleet.gateway.ready.grpc as string, agent, command, ...credential];
    // Nothing of the tests' own environment: a proxy or a path of theirs would not be Beacon's doing.
    const { stdout } = await run(PYTHON, argv, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
    return JSON.parse(stdout);
  }

  test('ALLOW, with the receipt that lies in the log', async () => {
    const said = await ask('snake', 'ls -la', token);
    expect(said).toMatchObject({
      decision: 'DECISION_ALLOW',
      route: 'ROUTE_ALLOW',
      provenance: 'CLIENT_PROVENANCE_AUTHENTICATED',
    });
    expect(said.action_receipt_id).not.toBe('');
    expect(readReceipt(Buffer.from(said.receipt as string)).receiptId).toBe(said.receipt_id);
    const { body } = await call(fleet, 'GET', `/api/receipts/${said.receipt_id}`, undefined, fleet.adminToken);
    expect(JSON.stringify(body.receipt ?? body)).toBe(said.receipt);
  });

  test('DENY is an answer too, with its rule and its receipt', async () => {
    const said = await ask('snake', 'rm -rf /', token);
    expect(said).toMatchObject({ decision: 'DECISION_DENY', route: 'ROUTE_DENY', action_receipt_id: '' });
    expect(said.rules?.length).toBeGreaterThan(0);
    expect(readReceipt(Buffer.from(said.receipt as string)).predicate.decision).toBe('DENY');
  });

  test('a wrong token, none for a minted name, and another agent’s are refused', async () => {
    expect(await ask('snake', 'ls', 'bcn_agent_wrong')).toMatchObject({ error: 'UNAUTHENTICATED' });
    expect(await ask('snake', 'ls')).toMatchObject({ error: 'PERMISSION_DENIED' });
    expect(await ask('other', 'ls', token)).toMatchObject({ error: 'PERMISSION_DENIED' });
  });
});
