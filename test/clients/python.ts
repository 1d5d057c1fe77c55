// Python's gRPC, generated from proto/, as a client of a running Beacon.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe } from 'vitest';

const PYTHON = process.env.TEST_TOOL_PYTHON_GRPC ?? '';
const PROTO = fileURLToPath(new URL('../../proto', import.meta.url));
const CLIENT = fileURLToPath(new URL('./guard_client.py', import.meta.url));
const run = promisify(execFile);

export type Said = Readonly<Record<string, string>> & { readonly rules?: readonly string[] };
export type PythonClient = {
  /** `given`: options of guard_client.py. */
  ask(address: string, agent: string, command: string, given?: Readonly<Record<string, string>>): Promise<Said>;
  remove(): void;
};

/** `describe`; skipped, with the reason in its name, where there is no such Python and this is no CI run. */
export function describeWithPython(name: string, suite: () => void): void {
  if (existsSync(PYTHON) || process.env.CI) describe(name, suite);
  else describe.skip(`${name} (no python3 >= 3.10 with venv; npm test installs the rest)`, suite);
}

export async function newPythonClient(): Promise<PythonClient> {
  const generated = mkdtempSync(join(tmpdir(), 'beacon-python-'));
  const protos = readdirSync(join(PROTO, 'beacon/v1')).map((file) => `beacon/v1/${file}`);
  const into = [`--python_out=${generated}`, `--grpc_python_out=${generated}`];
  await run(PYTHON, ['-m', 'grpc_tools.protoc', '-I', PROTO, ...into, ...protos]);
  return {
    async ask(address, agent, command, given = {}) {
      const options = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
      const argv = [CLIENT, generated, address, agent, command, ...options];
      // Nothing of the tests' own environment: a proxy or a path of theirs would not be Beacon's doing.
      const { stdout } = await run(PYTHON, argv, { env: { PYTHONDONTWRITEBYTECODE: '1' } });
      return JSON.parse(stdout);
    },
    remove: () => rmSync(generated, { recursive: true, force: true }),
  };
}
