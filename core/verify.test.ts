// A receipt, its proof and both keys: every way in which they can fail to belong together.

import { describe, expect, test } from 'vitest';
import { privateKeyFromSeed, signerOf } from './jwk.ts';
import { formatCheckpoint } from './ledger/checkpoint.ts';
import { type NoteKey, noteKey, signNote } from './ledger/note.ts';
import { formatTlogProof } from './ledger/tlog-proof.ts';
import { leafHash, nodeHash } from './ledger/tree.ts';
import { buildStatement, signEnvelope } from './receipt.ts';
import { verifyInclusion } from './verify.ts';
import { VerifyError } from './verify-error.ts';

const key = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(3)));
const noteSigner = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(4)));
const origin = 'beacon.local/receipt-signer/0123456789ab';

function seal(index: number, logId = '0123456789ab'): Uint8Array {
  const signer = { receipt_id: `${logId}-${index}`, sealed_at: '2026-01-02T03:04:05.678Z' };
  const predicate = { status: 'succeeded', tenant_id: 't', agent_id: 'a' };
  return signEnvelope(
    buildStatement({ kind: 'outcome', actionId: 'act_1', fingerprint: 'cd'.repeat(32), signer, predicate }),
    key,
  );
}

/** A log of two leaves and the proof of one of them. */
function log(leaves: [Uint8Array, Uint8Array], index: 0 | 1, name = origin): { proof: Uint8Array; logKey: NoteKey } {
  const [left, right] = leaves.map(leafHash) as [Uint8Array, Uint8Array];
  const logKey = noteKey(name, noteSigner.publicKey.bytes);
  const text = formatCheckpoint({ origin: name, size: 2, root: nodeHash(left, right) });
  const checkpoint = signNote(text, [{ key: logKey, sign: noteSigner.sign }]);
  return { logKey, proof: formatTlogProof({ index, hashes: [index === 0 ? right : left], checkpoint }) };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof VerifyError) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

describe('inclusion', () => {
  const leaves: [Uint8Array, Uint8Array] = [seal(0), seal(1)];

  test('a leaf is found where it says it is', () => {
    const { proof, logKey } = log(leaves, 1);
    expect(verifyInclusion(leaves[1], proof, [logKey])).toMatchObject({
      receiptId: '0123456789ab-1',
      index: 1,
      checkpoint: { origin, size: 2 },
    });
  });

  test('another receipt, another index, another log, another key', () => {
    const { proof, logKey } = log(leaves, 1);
    expect(codeOf(() => verifyInclusion(leaves[0], proof, [logKey]))).toBe('not_included');
    expect(codeOf(() => verifyInclusion(seal(1, 'ffffffffffff'), proof, [logKey]))).toBe('not_included');
    expect(codeOf(() => verifyInclusion(leaves[1], proof, []))).toBe('unknown_key');
    const stranger = noteKey(origin, key.publicKey.bytes);
    expect(codeOf(() => verifyInclusion(leaves[1], proof, [stranger]))).toBe('unknown_key');
  });

  test('a leaf copied to another index does not become a receipt there', () => {
    const { proof, logKey } = log([leaves[0], leaves[0]], 1);
    expect(codeOf(() => verifyInclusion(leaves[0], proof, [logKey]))).toBe('not_included');
  });

  test('a leaf copied into another log of the same operator does not become a receipt of it', () => {
    const { proof, logKey } = log(leaves, 1, 'beacon.local/receipt-signer/ffffffffffff');
    expect(codeOf(() => verifyInclusion(leaves[1], proof, [logKey]))).toBe('wrong_origin');
  });
});
