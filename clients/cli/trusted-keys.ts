// The public keys a verification may rely on: those named on the command line, or those of the Beacon found. Nothing
// that comes with a receipt ever adds to them.

import { readFile } from 'node:fs/promises';
import { type PublicKey, parseJwks } from '../../core/jwk.ts';
import { type NoteKey, parseVkey } from '../../core/ledger/note.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { VerifyError } from '../../core/verify-error.ts';
import { type Beacon, fetchPublic } from './beacon.ts';
import { usage } from './failure.ts';
import type { World } from './world.ts';

export type TrustedKeys = {
  /** Sign receipts. */
  readonly receiptKeys: readonly PublicKey[];
  /** Sign checkpoints. */
  readonly logKeys: readonly NoteKey[];
};

/**
 * Each source is a file or an http(s) address holding a JWK set, verifier keys (one a line) or the answer of /api/logs,
 * or a verifier key itself (a file of such a name is given as ./NAME).
 * Throws CliFailure (cannot be read: 2 or 3) or VerifyError (what was read is not a key).
 */
export async function readTrustedKeys(sources: readonly string[], world: Pick<World, 'env'>): Promise<TrustedKeys> {
  const sets = await Promise.all(sources.map(async (source) => parseKeys(await readSource(source, world))));
  return { receiptKeys: sets.flatMap((set) => set.receiptKeys), logKeys: sets.flatMap((set) => set.logKeys) };
}

/** Trust on first use: the keys a running Beacon publishes. */
export async function keysOf(beacon: Beacon): Promise<TrustedKeys> {
  const [jwks, logs] = await Promise.all([beacon.fetchBytes('/.well-known/jwks.json'), beacon.fetchBytes('/api/logs')]);
  return { receiptKeys: parseJwks(jwks), logKeys: parseLogs(logs) };
}

function parseKeys(bytes: Uint8Array): TrustedKeys {
  const text = Buffer.from(bytes).toString();
  if (text.trimStart().startsWith('{')) return { receiptKeys: parseJwks(bytes), logKeys: [] };
  if (text.trimStart().startsWith('[')) return { receiptKeys: [], logKeys: parseLogs(bytes) };
  const lines = text.split('\n').map((line) => line.trim());
  const logKeys = lines.filter((line) => line !== '').map(parseVkey);
  if (logKeys.length === 0) throw new VerifyError('malformed', 'a key file without a key');
  return { receiptKeys: [], logKeys };
}

/** The list of logs that Beacon publishes. */
function parseLogs(bytes: Uint8Array): NoteKey[] {
  const logs = parseStrictJson(bytes);
  if (!Array.isArray(logs)) throw new VerifyError('malformed', 'not a list of logs');
  return logs.map((log: unknown) => {
    const { vkey } = (log ?? {}) as { vkey?: unknown };
    if (typeof vkey !== 'string') throw new VerifyError('malformed', 'a log without a vkey');
    return parseVkey(vkey);
  });
}

async function readSource(source: string, world: Pick<World, 'env'>): Promise<Uint8Array> {
  if (/^https?:\/\//.test(source)) return fetchPublic(source, world);
  // Before any file: a path of that name in a hostile working directory must not stand in for the key that was named.
  if (/^[^+./][^+]*\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(source)) return Buffer.from(source);
  try {
    return await readFile(source);
  } catch (thrown) {
    throw usage(`cannot read the key ${source} (${(thrown as NodeJS.ErrnoException).code})`);
  }
}
