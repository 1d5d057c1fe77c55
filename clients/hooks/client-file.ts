// Whom a hook asks and whom it believes. An installed hook names a client file and then trusts nothing else: no
// environment variable, no working directory, no admin token. Without one (trying things out) the environment serves.

import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { requireName } from '../../core/ids.ts';
import { type PublicKey, parseJwks } from '../../core/jwk.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { dataFolder } from '../cli/beacon.ts';
import type { World } from '../cli/world.ts';
import { crossesInClear } from '../transport/in-clear.ts';
import { hasEnded } from '../transport/instance.ts';
import { readTrust, type Trust, type TrustFiles, trustIn } from '../transport/trust.ts';

export type Beacon = {
  readonly url: URL;
  readonly token: string | undefined;
  /** Which certificates to believe and to show; undefined: the machine's authorities, and none. */
  readonly trust: Trust | undefined;
  readonly agentId: string;
  readonly tenantId: string;
  /** An ALLOW must come with a receipt that verifies under one of these; undefined without a client file. */
  readonly receiptKeys: readonly PublicKey[] | undefined;
  /** Folder inside which the agent is at home; undefined: derived from where it works. */
  readonly workspace: string | undefined;
};

const FIELDS = ['url', 'token', 'agent_id', 'tenant_id', 'jwks', 'workspace', 'ca_file', 'cert_file', 'key_file'];
const MAX_FILE_BYTES = 65_536;

/**
 * Reads `{url, token, agent_id, tenant_id, jwks, workspace?, ca_file?, cert_file?, key_file?}`; with a client certificate
 * the token may be left out. Throws `failed_precondition` unless the path is absolute and the file, with those it names,
 * belongs to this user or root with nobody else able to write it; `invalid_argument` on what it holds.
 */
export async function readClientFile(path: string): Promise<Beacon> {
  await requireOwn(path, 'the client file');
  const fields = requireObject(parseStrictJson(await readFile(path), { maxBytes: MAX_FILE_BYTES }));
  for (const name of Object.keys(fields)) if (!FIELDS.includes(name)) throw invalidArgument(name, 'is not known');
  const { url, token, workspace } = fields;
  const files = await requireTrustFiles(fields);
  const needsToken = token !== undefined || files.certFile === undefined;
  if (needsToken && !(typeof token === 'string' && /^[\x21-\x7e]{1,4096}$/.test(token))) {
    throw invalidArgument('token', 'is missing');
  }
  if (workspace !== undefined && !(typeof workspace === 'string' && isAbsolute(workspace))) {
    throw invalidArgument('workspace', 'must be an absolute path');
  }
  const receiptKeys = parseJwks(Buffer.from(JSON.stringify(fields.jwks ?? null)));
  if (receiptKeys.length === 0) throw invalidArgument('jwks', 'holds no key');
  return {
    url: requireUrl(url),
    token: token as string | undefined,
    trust: await readTrust(files),
    agentId: requireName('agent_id', fields.agent_id),
    tenantId: requireName('tenant_id', fields.tenant_id),
    receiptKeys,
    workspace: workspace as string | undefined,
  };
}

async function requireOwn(path: string, what: string): Promise<void> {
  if (!isAbsolute(path)) throw new BeaconError('failed_precondition', `${what} must be an absolute path`);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new BeaconError('failed_precondition', `${what} cannot be read`);
  if ((found.mode & 0o022) !== 0 || (found.uid !== process.getuid?.() && found.uid !== 0)) {
    throw new BeaconError('failed_precondition', `somebody else can write ${what}: not believing it`);
  }
}

async function requireTrustFiles(fields: Record<string, unknown>): Promise<TrustFiles> {
  const named = async (name: 'ca_file' | 'cert_file' | 'key_file') => {
    const path = fields[name];
    if (path === undefined) return undefined;
    if (typeof path !== 'string') throw invalidArgument(name, 'must be an absolute path');
    await requireOwn(path, name);
    return path;
  };
  const [caFile, certFile, keyFile] = [await named('ca_file'), await named('cert_file'), await named('key_file')];
  return { caFile, certFile, keyFile };
}

/** BEACON_URL and BEACON_TOKEN, else the instance running on the data folder, as a caller that only asserts its name. */
export async function readEnvironment(world: Pick<World, 'env' | 'cwd'>, surface: string): Promise<Beacon> {
  const { BEACON_URL: url, BEACON_TOKEN: token, BEACON_AGENT_ID: agent, BEACON_TENANT_ID: tenant } = world.env;
  const running = url ? undefined : await runningInstance(dataFolder(world as World));
  return {
    url: requireUrl(url || running?.http),
    token: token || undefined,
    trust: await trustIn(world.env, running),
    agentId: requireName('BEACON_AGENT_ID', agent || surface),
    tenantId: requireName('BEACON_TENANT_ID', tenant || 'local'),
    receiptKeys: undefined,
    workspace: world.env.CLAUDE_PROJECT_DIR || undefined,
  };
}

async function runningInstance(folder: string): Promise<Record<string, unknown> & { http: string }> {
  const found = await stat(folder).catch(() => undefined);
  if (!found) throw new BeaconError('unavailable', 'no Beacon is running');
  if ((found.mode & 0o077) !== 0 || found.uid !== process.getuid?.()) {
    throw new BeaconError('failed_precondition', "Beacon's data folder is not this user's alone: not believing it");
  }
  const bytes = await readFile(join(folder, 'instance.json')).catch(() => undefined);
  if (!bytes) throw new BeaconError('unavailable', 'no Beacon is running');
  const instance = requireObject(parseStrictJson(bytes, { maxBytes: MAX_FILE_BYTES }));
  const { http } = instance;
  if (typeof http !== 'string' || hasEnded(instance)) throw new BeaconError('unavailable', 'no Beacon is running');
  return { ...instance, http };
}

function requireUrl(value: unknown): URL {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw invalidArgument('url', 'is no http(s) address');
  if (crossesInClear(url)) throw invalidArgument('url', 'must be https beyond loopback');
  return url;
}

function requireObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalidArgument('file', 'is not a JSON object');
}
