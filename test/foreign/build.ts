// Builds the Go program that checks Beacon with implementations by others, once for each state of its sources, into a
// cache outside the tree.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of the executable. Throws with what to do when Go is missing or too old. */
export function buildForeignVerifier(): string {
  const sources = readdirSync(import.meta.dirname).filter((name) => /^go\.|\.go$/.test(name));
  const digest = createHash('sha256');
  for (const name of sources.sort()) digest.update(`${name}\n`).update(readFileSync(join(import.meta.dirname, name)));
  const cache = process.env.BEACON_TEST_CACHE ?? join(homedir(), '.cache', 'beacon-test');
  const path = join(cache, `foreign-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  requireGo();
  mkdirSync(cache, { recursive: true });
  // Two runs may build at once; the rename makes either one's result whole.
  const scratch = `${path}.${process.pid}`;
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
  execFileSync('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', scratch, '.'], { cwd: import.meta.dirname, env });
  renameSync(scratch, path);
  return path;
}

function requireGo(): void {
  let version: string;
  try {
    version = execFileSync('go', ['env', 'GOVERSION'], {
      encoding: 'utf8',
      env: { ...process.env, GOTOOLCHAIN: 'local' },
    });
  } catch {
    throw new Error('Go 1.26 or newer is needed to check receipts with foreign verifiers: put `go` on PATH');
  }
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) === 1 && Number(minor) < 26) {
    throw new Error(`Go 1.26 or newer is needed to check receipts with foreign verifiers: this is ${version.trim()}`);
  }
}
