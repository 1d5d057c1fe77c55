// A small log for tests: real receipts under fixed keys, real proofs. The tree is RFC 6962's definition word for word
// (recursive, slow), so that it is not the product's own tree that confirms the product.

import { createHash } from 'node:crypto';
import { buildJwks, type PublicKey, privateKeyFromSeed, signerOf } from '../core/jwk.ts';
import { formatCheckpoint } from '../core/ledger/checkpoint.ts';
import { formatVkey, type NoteKey, noteKey, signNote } from '../core/ledger/note.ts';
import { formatTlogProof } from '../core/ledger/tlog-proof.ts';
import { buildStatement, type ReceiptKind, signEnvelope } from '../core/receipt.ts';

export const LOG_ID = '0123456789ab';
export const ORIGIN = `beacon.local/receipt-signer/${LOG_ID}`;
const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export const receiptSigner = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(0x11)));
export const strangerSigner = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(0x22)));
const checkpointSigner = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(0x33)));
export const logKey: NoteKey = noteKey(ORIGIN, checkpointSigner.publicKey.bytes);
export const vkey: string = formatVkey(logKey);
export const receiptKeys: PublicKey[] = [receiptSigner.publicKey];
export const jwks: string = buildJwks(receiptKeys);

/** The receipt for a leaf, the same bytes at every call. Every third is an ALLOW, every third a DENY. */
export function sealReceipt(index: number, signer = receiptSigner, over: object = {}): Uint8Array {
  const kind: ReceiptKind = index % 3 === 2 ? 'outcome' : 'decision';
  const allowed = index % 3 === 0;
  const at = (seconds: number) => new Date(START_MS + index * 1000 + seconds * 1000).toISOString();
  const hex = createHash('sha256').update(`action ${index}`).digest('hex');
  const parties = { tenant_id: 'acme', agent_id: `agent-${index % 5}` };
  const decision = allowed
    ? { decision: 'ALLOW', route: 'ALLOW', reasons: [] }
    : { decision: 'DENY', route: 'DENY', reasons: [{ rule: 'pack.destructive', code: 'destructive' }] };
  const permit = { id: `pmt_${hex.slice(32)}`, not_after: at(4) };
  const statement = buildStatement({
    kind,
    actionId: `act_${hex.slice(0, 32)}`,
    fingerprint: hex,
    signer: {
      receipt_id: `${LOG_ID}-${index}`,
      sealed_at: at(0),
      ...(allowed ? { lease: { term: 7, not_after: at(5) }, permit } : {}),
    },
    predicate: { ...parties, ...(kind === 'decision' ? decision : { status: 'succeeded' }), ...over },
  });
  return signEnvelope(statement, signer);
}

export function sealReceipts(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => sealReceipt(index));
}

export function checkpointOver(leaves: readonly Uint8Array[]): Uint8Array {
  return signCheckpoint(leaves.length, treeHash(leaves.map(leafDigest)));
}

export function signCheckpoint(size: number, root: Uint8Array): Uint8Array {
  return signNote(formatCheckpoint({ origin: ORIGIN, size, root }), [{ key: logKey, sign: checkpointSigner.sign }]);
}

export function proofOf(index: number, leaves: readonly Uint8Array[]): Uint8Array {
  const hashes = path(index, leaves.map(leafDigest));
  return formatTlogProof({ index, hashes, checkpoint: checkpointOver(leaves) });
}

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function leafDigest(leaf: Uint8Array): Uint8Array {
  return sha256(Buffer.of(0), leaf);
}

/** RFC 6962, 2.1: MTH. */
function treeHash(digests: readonly Uint8Array[]): Uint8Array {
  if (digests.length === 0) return sha256();
  if (digests.length === 1) return digests[0] as Uint8Array;
  const split = largestPowerBelow(digests.length);
  return sha256(Buffer.of(1), treeHash(digests.slice(0, split)), treeHash(digests.slice(split)));
}

/** RFC 6962, 2.1.1: PATH. */
function path(index: number, digests: readonly Uint8Array[]): Uint8Array[] {
  if (digests.length <= 1) return [];
  const split = largestPowerBelow(digests.length);
  const [left, right] = [digests.slice(0, split), digests.slice(split)];
  if (index < split) return [...path(index, left), treeHash(right)];
  return [...path(index - split, right), treeHash(left)];
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
