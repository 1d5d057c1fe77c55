// Finding Beacon and asking it over HTTP. The environment wins; without it, the instance running on the data folder,
// which must be this user's alone: whoever can write there could have the admin token sent to an address of theirs.

import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseStrictJson } from '../../core/strict-json.ts';
import { crossesInClear } from '../transport/in-clear.ts';
import { hasEnded } from '../transport/instance.ts';
import { type Answered, type Asked, keepingAgent, requestBytes } from '../transport/request.ts';
import { type Trust, trustIn } from '../transport/trust.ts';
import { CliFailure, EXIT, refusedByBeacon, unreachable, usage } from './failure.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 16 * 1_048_576;

/** OpenSSL's words for a certificate that nobody known here has issued. */
const UNKNOWN_AUTHORITY = [
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

export type Json = Record<string, unknown>;

export type Beacon = {
  readonly url: string;
  /** Throws CliFailure: exit 3 when there is no answer in time, else what the problem's code calls for. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: Json, options?: { timeoutMs?: number }): Promise<Json>;
  /** The same for answers that are not JSON. */
  fetchBytes(path: string, options?: { timeoutMs?: number }): Promise<Uint8Array>;
};

export async function findBeacon(world: World): Promise<Beacon> {
  const { BEACON_URL: url, BEACON_TOKEN: token } = world.env;
  if (url) return beaconAt(requireClosed(requireUrl(url)), token, await trustIn(world.env, undefined));
  const folder = dataFolder(world);
  await requirePrivate(folder);
  const instance = await readJson(join(folder, 'instance.json'));
  if (typeof instance?.http !== 'string') {
    throw unreachable(`no Beacon is running on ${folder} (start it with npm start, or set BEACON_URL)`);
  }
  if (hasEnded(instance)) {
    throw unreachable(
      `no Beacon is running on ${folder}: its process has ended (set BEACON_URL for one in a container)`,
    );
  }
  const { admin_token_file: named } = instance;
  const tokenFile = typeof named === 'string' ? named : join(folder, 'admin.token');
  const adminToken = token ?? (await readText(tokenFile))?.trim();
  return beaconAt(requireUrl(instance.http), adminToken, await trustIn(world.env, instance));
}

export function dataFolder(world: World): string {
  const { BEACON_DATA_DIR: chosen, XDG_STATE_HOME: state, HOME: home } = world.env;
  if (chosen) return resolve(world.cwd, chosen);
  // The XDG specification: a relative path is to be ignored. It would also lie in the working directory.
  if (state && isAbsolute(state)) return join(state, 'beacon');
  return join(home || homedir(), '.local', 'state', 'beacon');
}

function beaconAt(url: string, token: string | undefined, trust: Trust | undefined): Beacon {
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const agent = keepingAgent(new URL(url));
  const send = async (method: string, path: string, body?: Json, timeoutMs = TIMEOUT_MS) => {
    const answer = await requestLimited(url + path, {
      method,
      headers: { ...authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? Buffer.from(JSON.stringify(body)) : undefined,
      signal: AbortSignal.timeout(timeoutMs),
      ...{ trust, agent },
    });
    if (!isOk(answer)) throw problem(answer.status, answer.body, path, token === undefined);
    return answer.body;
  };
  return {
    url,
    ask: async (method, path, body, options = {}) =>
      requireJson(await send(method, path, body, options.timeoutMs), path),
    fetchBytes: (path, options = {}) => send('GET', path, undefined, options.timeoutMs),
  };
}

/** One GET of an address a person named: no token is sent, no redirect followed. */
export async function fetchPublic(url: string, world: Pick<World, 'env'>): Promise<Uint8Array> {
  const { ca } = (await trustIn({ BEACON_CA_FILE: world.env.BEACON_CA_FILE }, undefined)) ?? {};
  const answer = await requestLimited(requireClosed(requireUrl(url)), {
    method: 'GET',
    headers: {},
    signal: AbortSignal.timeout(TIMEOUT_MS),
    trust: ca === undefined ? undefined : { ca },
  });
  if (!isOk(answer)) throw unreachable(`${url} answered ${answer.status}`);
  return answer.body;
}

const isOk = ({ status }: Answered) => status >= 200 && status < 300;

async function requestLimited(url: string, asked: Omit<Asked, 'maxBytes'>): Promise<Answered> {
  try {
    const answer = await requestBytes(new URL(url), { ...asked, maxBytes: MAX_ANSWER_BYTES });
    if (answer.status >= 300 && answer.status < 400) throw unreachable(`${url} answered with a redirect`);
    return answer;
  } catch (thrown) {
    if (thrown instanceof CliFailure) throw thrown;
    const { name, code } = thrown as Error & { code?: string };
    if (code === 'payload_too_large') throw unreachable(`the answer of ${url} is too long`);
    const timedOut = asked.signal.aborted && name === 'AbortError';
    const why = timedOut ? 'timed out' : (code ?? name);
    const hint = UNKNOWN_AUTHORITY.includes(why) ? ': name its authority in BEACON_CA_FILE' : '';
    throw unreachable(`no answer from ${url} (${why})${hint}`);
  }
}

function problem(status: number, bytes: Uint8Array, path: string, isTokenless: boolean): CliFailure {
  let document: Json = {};
  try {
    document = requireJson(bytes, path);
  } catch {
    // Not ours: a proxy or another server answered.
  }
  const { code, detail, field } = document;
  if (typeof code !== 'string') return unreachable(`${path} answered ${status} without a code: is this Beacon?`);
  const about = typeof field === 'string' && !String(detail).startsWith(field) ? `${field}: ` : '';
  const hint = code === 'unauthenticated' && isTokenless ? ' (BEACON_TOKEN is not set)' : '';
  return refusedByBeacon(code, `${about}${typeof detail === 'string' ? detail : `HTTP ${status}`}${hint}`);
}

function requireJson(bytes: Uint8Array, path: string): Json {
  try {
    const value = parseStrictJson(bytes, { maxBytes: MAX_ANSWER_BYTES });
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch {
    // Said below.
  }
  throw unreachable(`the answer to ${path} is not a JSON object`);
}

function requireUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw usage(`not an http(s) address: ${text}`);
  return text.replace(/\/+$/, '');
}

/** As a hook does: what is asked carries a token or what an agent is about to do, or is answered with keys to be trusted. */
function requireClosed(url: string): string {
  if (crossesInClear(new URL(url))) throw usage(`${url} would be asked in clear: https is needed beyond loopback`);
  return url;
}

async function requirePrivate(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found)
    throw unreachable(`no Beacon is running: ${folder} does not exist (npm start makes it, or set BEACON_URL)`);
  if ((found.mode & 0o077) !== 0 || found.uid !== process.getuid?.()) {
    throw new CliFailure(EXIT.no, 'failed_precondition', `${folder} is not yours alone (mode 0700): not using it`);
  }
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function readJson(path: string): Promise<Json | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : requireJson(Buffer.from(text), path);
}
