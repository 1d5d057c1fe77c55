// C2SP checkpoints: a log's tree head as the text of a signed note (https://c2sp.org/tlog-checkpoint).
// Three lines: origin, size, root. Extension lines are refused: no monitor could audit them.

import { VerifyError } from '../verify-error.ts';
import { decodeBase64Exact, encodeBase64 } from './base64.ts';
import { type NoteKey, parseNote, verifyNote } from './note.ts';
import { HASH_BYTES } from './tree.ts';

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

const COUNT = /^(0|[1-9][0-9]{0,15})$/;

export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${encodeBase64(checkpoint.root)}\n`;
}

/** Throws `malformed` or `non_canonical`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, end, more] = text.split('\n');
  if (!origin || size === undefined || root === undefined || end !== '' || more !== undefined) {
    throw new VerifyError('malformed', 'a checkpoint is the three lines origin, size and root');
  }
  return { origin, size: parseCount('the tree size', size), root: decodeBase64Exact('the root', root, HASH_BYTES) };
}

/** The checkpoint in a note, its signatures unread: for a writer that looks at its own files, never for a verifier. */
export function readCheckpoint(note: Uint8Array): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}

/** The checkpoint in a note signed by the log itself: a trusted key that bears the origin's name. */
export function verifyCheckpoint(note: Uint8Array, keys: readonly NoteKey[]): Checkpoint {
  const { text, signedBy } = verifyNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  if (!signedBy.some((key) => key.name === checkpoint.origin)) {
    throw new VerifyError('wrong_origin', 'the checkpoint is not signed by the log it names');
  }
  return checkpoint;
}

/** ASCII decimal without leading zeroes, within 2^53. */
export function parseCount(what: string, text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new VerifyError('malformed', `${what} is not a decimal number`);
  if (!COUNT.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new VerifyError('non_canonical', `${what} has leading zeroes or is beyond 2^53`);
  }
  return Number(text);
}
