// C2SP tlog-proof@v1: one file with which a stranger shows, offline, that a leaf is in a log (https://c2sp.org/tlog-proof).
// Index, inclusion path and the checkpoint verbatim. Parsing accepts exactly what formatting writes.

import { VerifyError } from '../verify-error.ts';
import { decodeBase64, decodeBase64Exact, encodeBase64 } from './base64.ts';
import { type Checkpoint, parseCount, verifyCheckpoint } from './checkpoint.ts';
import { decodeUtf8, NOTE_MAX_BYTES, type NoteKey } from './note.ts';
import { HASH_BYTES, leafHash } from './tree.ts';
import { verifyInclusion } from './tree-proof.ts';

export type TlogProof = {
  readonly index: number;
  /** Leaf's sibling first, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** Opaque and unauthenticated; absent, never empty, when there is none. */
  readonly extra?: Uint8Array;
  /** The signed note, byte for byte. */
  readonly checkpoint: Uint8Array;
};

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves is 53 high. */
const MAX_HASHES = 53;
const MAX_EXTRA_BYTES = 65_536;
/** All of the above in base64 with its line ends, and room to spare. */
const MAX_BYTES = NOTE_MAX_BYTES + 2 * MAX_EXTRA_BYTES;

export function formatTlogProof(proof: TlogProof): Uint8Array {
  const lines = [HEADER];
  if (proof.extra !== undefined && proof.extra.length > 0) lines.push(`extra ${encodeBase64(proof.extra)}`);
  lines.push(`index ${proof.index}`, ...proof.hashes.map(encodeBase64), '', '');
  return new Uint8Array(Buffer.concat([Buffer.from(lines.join('\n')), proof.checkpoint]));
}

/** Throws `malformed`, `non_canonical`, `too_large`, or `unsupported` for another version. Nothing is verified yet. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > MAX_BYTES) throw new VerifyError('too_large', 'the proof is too large');
  const text = decodeUtf8(bytes);
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw new VerifyError('malformed', 'the proof has no checkpoint');
  const lines = text.slice(0, blank).split('\n');
  const header = lines.shift();
  if (header !== HEADER) {
    const other = header?.startsWith('c2sp.org/tlog-proof@') ?? false;
    throw new VerifyError(other ? 'unsupported' : 'malformed', `the first line is not ${HEADER}`);
  }
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift() as string) : undefined;
  const index = lines.shift();
  if (index === undefined || !index.startsWith('index ')) throw new VerifyError('malformed', 'there is no index line');
  if (lines.length > MAX_HASHES) throw new VerifyError('too_large', 'the proof has more hashes than a tree is high');
  return {
    index: parseCount('the index', index.slice('index '.length)),
    hashes: lines.map((line) => decodeBase64Exact('a hash', line, HASH_BYTES)),
    ...(extra === undefined ? {} : { extra }),
    checkpoint: new Uint8Array(Buffer.from(text.slice(blank + 2))),
  };
}

/** Parses, checks the checkpoint's signature by its log, then that `leaf` is at the index it says. */
export function verifyTlogProof(
  bytes: Uint8Array,
  leaf: Uint8Array,
  keys: readonly NoteKey[],
): { index: number; checkpoint: Checkpoint } {
  const proof = parseTlogProof(bytes);
  const checkpoint = verifyCheckpoint(proof.checkpoint, keys);
  verifyInclusion({
    leafHash: leafHash(leaf),
    index: proof.index,
    size: checkpoint.size,
    root: checkpoint.root,
    proof: proof.hashes,
  });
  return { index: proof.index, checkpoint };
}

function parseExtra(line: string): Uint8Array {
  const extra = decodeBase64('the extra data', line.slice('extra '.length));
  if (extra.length === 0) throw new VerifyError('non_canonical', 'a proof without extra data has no such line');
  if (extra.length > MAX_EXTRA_BYTES) throw new VerifyError('too_large', 'the extra data is too large');
  return extra;
}
